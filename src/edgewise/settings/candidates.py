"""`[[candidates]]` → the domain's `Candidate`: every default that depends on the place is applied here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.candidates import Candidate, Capabilities, Price
from edgewise.settings.urls import stays_here

if TYPE_CHECKING:
    from edgewise.domain.candidates import Trust
    from edgewise.settings.schema import CandidateSettings

FREE = Price(0.0, 0.0)
# What the embedded models can take, where the configuration does not say.
EMBEDDED_CONTEXT_TOKENS = {"smollm2-135m": 8192}


def describe(candidate: CandidateSettings) -> Candidate:
    """The candidate that these settings mean.

    An edge is free unless it has a price; a cloud without one is unpriced. Whatever has a simulated
    network or scripted replies is `simulated`. Images are assumed of clouds at a URL only.
    """
    remote_cloud = candidate.location == "cloud" and candidate.url is not None
    context = candidate.context_tokens
    if context is None and candidate.embedded is not None:
        context = EMBEDDED_CONTEXT_TOKENS.get(candidate.embedded)
    return Candidate(
        id=candidate.id,
        location=candidate.location,
        trust=candidate.trust or _trust(candidate),
        kind=candidate.kind,
        model=candidate.model or candidate.embedded or candidate.bundle or candidate.id,
        endpoint=(candidate.url or "").rstrip("/"),
        price=FREE if candidate.price is None and candidate.location == "edge" else candidate.price,
        capabilities=Capabilities(
            tools=candidate.embedded is None if candidate.tools is None else candidate.tools,
            vision=remote_cloud if candidate.vision is None else candidate.vision,
            json_schema=candidate.json_schema,
            context_tokens=context,
        ),
        simulated=candidate.network is not None or candidate.script is not None,
        power_watts=candidate.power_watts,
        joules_per_token=candidate.joules_per_token,
        region=candidate.region,
        tags=dict(candidate.tags),
        task=candidate.task,
    )


def _trust(candidate: CandidateSettings) -> Trust:
    if candidate.location == "cloud":
        return "cloud"
    return "device" if candidate.url is None or stays_here(candidate.url) else "site"
