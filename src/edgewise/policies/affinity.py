"""A wrapper that lets a conversation stay with whoever has answered it, unless leaving pays."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.protocols import Policy
from edgewise.policies.lots import features_of
from edgewise.policies.ranges import weight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation

CLEARLY = 0.5  # how much likelier another must be, where nothing is forecast
GAIN = "switch_gain"  # in a decision's evidence, beside what it would have had to exceed
MARGIN = "switch_margin"


class Affinity(Struct, frozen=True):
    """Follow `inner`, but leave the candidate that answered a session last only for a reason.

    Whoever called a tool gets its result. Otherwise a switch must pay for the lost prompt cache: the
    utility that `inner` forecasts for its favourite, penalties taken off, must exceed the previous one's by
    more than `margin` (in the objective's unit); without forecasts the favourite's odds must by more than
    `CLEARLY`. Where the session stays, all the odds are on the previous candidate, with the reason `session`.

    It goes by the name of `inner`: without a session both are the same. Raises ValueError for a negative
    margin.
    """

    inner: Policy
    margin: float = 0.05

    def __post_init__(self) -> None:
        weight("switch_margin", self.margin)

    @property
    def name(self) -> str:
        """What the log calls it: the inner policy's name."""
        return self.inner.name

    @property
    def features(self) -> str | None:
        """The version of the features that the inner policy reads, if it does."""
        return features_of(self.inner)

    def odds(self, situation: Situation) -> Odds:
        """The inner odds, or certainty that the session stays where it is."""
        odds = self.inner.odds(situation)
        previous = situation.previous
        if previous is None or len(odds.by_id) == 1 or previous not in odds.by_id:
            return odds
        if odds.by_id[previous] == 1.0 and odds.drawn is None:
            return odds
        if situation.in_tool_loop:
            return _staying(odds, previous, {})
        gain, needed = self._gain(odds, previous, situation.shortlist.penalties)
        if gain > needed:
            return odds
        return _staying(odds, previous, {GAIN: gain, MARGIN: needed})

    def _gain(self, odds: Odds, previous: str, penalties: Mapping[str, float]) -> tuple[float, float]:
        """What leaving `previous` for the favourite would gain, and what it must exceed."""
        favourite = odds.favourite
        there, here = odds.forecasts.get(favourite), odds.forecasts.get(previous)
        if there is None or here is None or there.utility is None or here.utility is None:
            return odds.by_id[favourite] - odds.by_id[previous], CLEARLY
        gain = there.utility.mean - penalties.get(favourite, 0.0)
        gain -= here.utility.mean - penalties.get(previous, 0.0)
        return (gain if abs(gain) < inf else 0.0), self.margin


def _staying(odds: Odds, previous: str, evidence: dict[str, float]) -> Odds:
    by_id = {name: 1.0 if name == previous else 0.0 for name in odds.by_id}
    return replace(
        odds,
        by_id=by_id,
        reason="session",
        evidence={**odds.evidence, **evidence},
        exploration=0.0,
        drawn=None,
    )
