"""What a shadow has shown so far, from the log: how it would choose, and what its answers were worth."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.domain.decisions import Estimate
from edgewise.learning.deploy.compare import (
    FEWEST,
    MEASURES,
    READ,
    Compared,
    answered,
    errors,
    free,
    session_of,
    verdict,
)
from edgewise.learning.replay.resampling import UNKNOWN, Resampled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.stories import Story

Z = 1.96  # of a 95 % interval


class Asked(Struct, frozen=True):
    """What asking the shadow, too, came to.

    `wanted` is how often it was to be asked, `answered` and `errors` how often it answered and did not;
    the rest was dropped under load or is under way. `cost_usd` is what that cost, `unpriced` how many calls
    have no known cost. `measures` compare both answers of a prompt; the shadow's stand under `canary`.
    """

    wanted: int
    answered: int
    errors: int
    cost_usd: float
    unpriced: int
    measures: dict[str, Compared]


class ShadowReport(Struct, frozen=True):
    """How a shadow would choose: decisions watched, how often it failed, and how often it chose the same.

    `asked` is None where it was never to be asked.
    """

    watched: int
    failed: int
    agreement: Estimate
    asked: Asked | None = None


def watch(
    stories: Iterable[Story], *, since: float, policy: str | None = None, seed: int = 0
) -> ShadowReport:
    """What was recorded of the shadow after `since`; of the one called `policy`, where given."""
    same: list[float] = []
    keys: list[str] = []
    failed = 0
    asked: list[Story] = []
    for story in stories:
        decision = story.decision
        seen = decision.shadow
        if decision.at <= since or seen is None or (policy is not None and seen.policy != policy):
            continue
        if seen.chosen is None:
            failed += 1
        elif free(story):
            same.append(float(max(decision.odds, key=decision.odds.__getitem__) == seen.chosen))
            keys.append(session_of(story))
            if seen.ask:
                asked.append(story)
    agreement = _share(np.array(same), keys, seed) if same else UNKNOWN
    return ShadowReport(len(same), failed, agreement, _asked(asked, seed) if asked else None)


def _share(same: NDArray[np.float64], keys: Sequence[str], seed: int) -> Estimate:
    """How often, resampled by session, and never surer than so many sessions allow (Wilson 1927).

    Three sessions that all agree leave nothing to resample: they alone would be sure.
    """
    drawn = Resampled(keys, seed=seed)
    found = drawn.ratio(same)
    weight = Z * Z / drawn.clusters
    middle = (found.mean + weight / 2) / (1 + weight)
    half = (
        Z * sqrt(found.mean * (1 - found.mean) / drawn.clusters + weight / drawn.clusters / 4) / (1 + weight)
    )
    return Estimate(found.mean, min(found.low, middle - half), max(found.high, middle + half))


def _asked(stories: Sequence[Story], seed: int) -> Asked:
    """What came of the calls, and both answers of each prompt that has two, compared."""
    pairs = [(story.shadow, story) for story in stories if story.shadow is not None and story.shadow.outcome]
    shadows = [shadow for shadow, _ in pairs]
    costs = [shadow.outcome.cost_usd for shadow in shadows if shadow.outcome]
    measures = {name: compared for name in MEASURES if (compared := _paired(name, pairs, seed)) is not None}
    return Asked(
        wanted=len(stories),
        answered=sum(map(answered, shadows)),
        errors=sum(errors(shadow) == 1.0 for shadow in shadows),
        cost_usd=sum(cost for cost in costs if cost is not None),
        unpriced=sum(cost is None for cost in costs),
        measures=measures,
    )


def _paired(name: str, pairs: Sequence[tuple[Story, Story]], seed: int) -> Compared | None:
    """One measure of both answers, where both have it; the difference is taken within each prompt."""
    read = READ[name]
    found = [
        (new, old, session_of(story))
        for shadow, story in pairs
        if (new := read(shadow)) is not None and (old := read(story)) is not None
    ]
    if not found:
        return None
    resampled = Resampled([session for _, _, session in found], seed=seed)
    news, olds = (np.array([row[side] for row in found], dtype=np.float64) for side in (0, 1))
    difference = resampled.ratio(news - olds)
    sessions = (resampled.clusters, resampled.clusters)
    told = verdict(name, difference) if resampled.clusters >= FEWEST else "too early to say"
    return Compared(resampled.ratio(news), resampled.ratio(olds), difference, sessions, told)
