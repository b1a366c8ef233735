"""Who is asked after the chosen one has failed: in the order of the odds, and nobody who may not be."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edgewise.domain.privacy import permits, promise_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Decision
    from edgewise.domain.requests import Request


def others(
    decision: Decision, chosen: Candidate, request: Request, candidates: Mapping[str, Candidate]
) -> list[Candidate]:
    """The candidates that may answer in place of `chosen`, the likeliest first.

    Only those of the shortlist; among equal odds a smaller penalty goes first, then a higher forecast
    utility, then the order of the configuration. Nobody takes over from a shadow, nor from a pinned
    candidate unless the caller asked for that: then those whom nothing but the pin speaks against. What the
    request's privacy does not permit is left out, whatever the shortlist says, and so is a window smaller
    than the one that the conversation was cut to.
    """
    wished = request.wishes.fallback
    pinned = request.pin is not None
    if decision.shadow_of is not None or wished is False or (pinned and not wished):
        return []
    names = _unpinned(decision, candidates) if pinned else decision.shortlist
    promise = promise_of(request)
    found = [
        candidate
        for name in names
        if name != chosen.id
        and (candidate := candidates.get(name)) is not None
        and permits(promise, candidate)
        and not _is_narrower(candidate, chosen, request)
    ]
    penalties: dict[str, float] = {}
    for objection in decision.objections:
        if objection.penalty is not None:
            before = penalties.get(objection.candidate, 0.0)
            penalties[objection.candidate] = before + objection.penalty

    def rank(candidate: Candidate) -> tuple[float, float, float]:
        forecast = decision.forecasts.get(candidate.id)
        utility = forecast.utility.mean if forecast is not None and forecast.utility is not None else -inf
        return -decision.odds.get(candidate.id, 0.0), penalties.get(candidate.id, 0.0), -utility

    return sorted(found, key=rank)


def _unpinned(decision: Decision, candidates: Mapping[str, Candidate]) -> list[str]:
    """Whom nothing but the pin speaks against."""
    barred = {o.candidate for o in decision.objections if o.penalty is None and o.rule != "pin"}
    return [name for name in candidates if name not in barred]


def _is_narrower(candidate: Candidate, chosen: Candidate, request: Request) -> bool:
    if request.needs.least_tokens is None:
        return False
    window, cut_to = candidate.capabilities.context_tokens, chosen.capabilities.context_tokens
    return window is not None and (cut_to is None or window < cut_to)
