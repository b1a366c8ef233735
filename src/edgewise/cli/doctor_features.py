"""What `edgewise doctor` asks of the embeddings endpoint of trained policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.cli.setup import run

if TYPE_CHECKING:
    from edgewise.features.serving import EndpointFeatures
    from edgewise.settings import Settings


def features_problem(settings: Settings) -> tuple[str, str] | None:
    """What is found of the endpoint, and how to mend it (empty where all is well); None where there is none.

    The policies of these settings are known to load.
    """
    from edgewise.app import decider  # noqa: PLC0415 - loaded only when something is decided
    from edgewise.features.serving import EndpointFeatures  # noqa: PLC0415 - the same

    featurizer = decider(settings).featurizer
    if not isinstance(featurizer, EndpointFeatures):
        return None
    problem = run(_asked(featurizer))
    if problem is None:
        return "The endpoint gives the vectors that the bundle was trained on.", ""
    mend = "Start it with that model, correct url, api_key_env or timeout_s in [features], or train anew."
    return problem, mend


async def _asked(featurizer: EndpointFeatures) -> str | None:
    try:
        return await featurizer.problem()
    finally:
        await featurizer.aclose()
