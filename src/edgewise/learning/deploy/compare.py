"""What a canary has shown so far, from the log: its side and the incumbent's, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from msgspec import Struct

from edgewise.domain.decisions import Estimate
from edgewise.learning.replay.resampling import Resampled, interval
from edgewise.learning.replay.rows import quality_of
from edgewise.policies.canary import ARM, FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.stories import Story

Verdict = Literal["better", "no different", "worse", "too early to say"]
MEASURES = ("quality", "latency_s", "cost_usd", "errors")
HIGHER_IS_BETTER = frozenset({"quality"})
FEWEST = 20  # sessions a side with a measure, before an interval is worth its name


class Compared(Struct, frozen=True):
    """One measure on both sides, and canary less incumbent, each with its 95 % interval.

    The bounds come from resampling whole sessions. `sessions` are those with the measure: the canary's, and
    the incumbent's.
    """

    canary: Estimate
    incumbent: Estimate
    difference: Estimate
    sessions: tuple[int, int]
    verdict: Verdict


class CanaryReport(Struct, frozen=True):
    """Both sides of a canary: how many free decisions each made, and its measures.

    `failed` is how often the canary's policy failed and the incumbent decided for it.
    """

    canary: int
    incumbent: int
    failed: int
    measures: dict[str, Compared]


def compare(stories: Iterable[Story], *, since: float, seed: int = 0) -> CanaryReport:
    """What both sides realised after `since` (unix seconds), on decisions that were a policy's to make.

    `quality` is what feedback says of answers; `latency_s` and `cost_usd` are of answers; `errors` is the
    share of requests that got none. Requests that the caller hung up on count nowhere.
    """
    sides: tuple[list[Story], list[Story]] = ([], [])
    failed = 0
    for story in stories:
        decision = story.decision
        if decision.at <= since or not free(story):
            continue
        failed += FAILED in decision.evidence
        if ARM in decision.evidence:
            sides[decision.evidence[ARM] > 0.0].append(story)
    incumbent, canary = sides
    measures = {
        name: compared
        for name in MEASURES
        if (compared := _compared(name, canary, incumbent, seed)) is not None
    }
    return CanaryReport(len(canary), len(incumbent), failed, measures)


def free(story: Story) -> bool:
    """Whether a policy had a choice, and a client got what came of it."""
    model = story.decision.model
    if story.decision.shadow_of is not None:
        return False
    return (model == "auto" or model.startswith("auto:")) and len(story.decision.odds) > 1


def session_of(story: Story) -> str:
    """What is resampled as one."""
    return story.decision.session or story.decision.id


def _compared(name: str, canary: Sequence[Story], incumbent: Sequence[Story], seed: int) -> Compared | None:
    new, old = _side(name, canary, seed), _side(name, incumbent, seed + 1)
    if new is None or old is None:
        return None
    shared = min(len(new.draws), len(old.draws))
    difference = interval(new.mean - old.mean, new.draws[:shared] - old.draws[:shared])
    sessions = (new.sessions, old.sessions)
    return Compared(
        interval(new.mean, new.draws),
        interval(old.mean, old.draws),
        difference,
        sessions,
        verdict(name, difference) if min(sessions) >= FEWEST else "too early to say",
    )


class _Side(NamedTuple):
    mean: float
    draws: NDArray[np.float64]
    sessions: int


def _side(name: str, stories: Sequence[Story], seed: int) -> _Side | None:
    read = READ[name]
    found = [(value, session_of(story)) for story in stories if (value := read(story)) is not None]
    if not found:
        return None
    resampled = Resampled([session for _, session in found], seed=seed)
    mean, draws = resampled.draws(np.array([value for value, _ in found]))
    return _Side(mean, draws, resampled.clusters)


def verdict(name: str, difference: Estimate) -> Verdict:
    """What a 95 % interval of a difference says, each measure in its own direction."""
    if difference.low <= 0.0 <= difference.high:
        return "no different"
    return "better" if (difference.low > 0.0) == (name in HIGHER_IS_BETTER) else "worse"


def _quality(story: Story) -> float | None:
    return quality_of(story) if answered(story) else None


def answered(story: Story) -> bool:
    """Whether a whole answer came."""
    return story.outcome is not None and story.outcome.status == "ok"


def _latency(story: Story) -> float | None:
    return story.outcome.latency_s if story.outcome is not None and answered(story) else None


def _cost(story: Story) -> float | None:
    return story.outcome.cost_usd if story.outcome is not None and answered(story) else None


def errors(story: Story) -> float | None:
    """1 where no whole answer came, 0 where one did; None where the caller hung up or nothing is known."""
    if story.outcome is None or story.outcome.status == "cancelled":
        return None
    return float(story.outcome.status != "ok")


READ: dict[str, Callable[[Story], float | None]] = {
    "quality": _quality,
    "latency_s": _latency,
    "cost_usd": _cost,
    "errors": errors,
}
