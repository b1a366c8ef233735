"""A wrapper that keeps learning possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.protocols import Policy
from edgewise.policies.holding import FIRM, holding
from edgewise.policies.ranges import share

if TYPE_CHECKING:
    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation


class Explore(Struct, frozen=True):
    """Follow `inner`, but spend `rate` (0 to 1) of the choices evenly on the whole shortlist.

    Every candidate of a shortlist of n then has at least `rate` / n, which is what off-policy evaluation
    divides by. Raises ValueError for a rate out of range.

    Where `inner` reads the edge's answer first, the choice that is explored is the one after that: so the
    cloud is never asked first, and the propensity is that of who answers.
    """

    inner: Policy
    rate: float = 0.02

    def __post_init__(self) -> None:
        share("rate", self.rate)

    @property
    def name(self) -> str:
        """What the log calls it, the rate included: `explore(complexity, 0.02)`."""
        return f"explore({self.inner.name}, {self.rate:g})"

    def odds(self, situation: Situation) -> Odds:
        """The inner odds with `rate` of their weight made even; untouched where nothing can move."""
        odds = self.inner.odds(situation)
        if self.rate == 0.0 or len(odds.by_id) == 1 or holding(self.inner):
            return odds
        return odds.explored(self.rate)

    @property
    def hold_s(self) -> float | None:
        """How long `inner` holds an answer back, if it does."""
        return self.inner.hold_s if holding(self.inner) else None

    def forecast(self, situation: Situation, answer: FirstAnswer) -> Odds:
        """The inner odds once an answer is known, explored; not where a rule or a promise speaks."""
        if not holding(self.inner):
            return self.odds(situation)
        odds = self.inner.forecast(situation, answer)
        if self.rate == 0.0 or len(odds.by_id) == 1 or FIRM in odds.evidence:
            return odds
        return odds.explored(self.rate)


def settled(policy: Policy) -> Policy:
    """The policy without its exploration: for pinned, local and session-bound requests, and for `route`."""
    while isinstance(policy, Explore):
        policy = policy.inner
    return policy
