"""A wrapper that keeps learning possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.protocols import Policy
from edgewise.policies.ranges import share

if TYPE_CHECKING:
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation


class Explore(Struct, frozen=True):
    """Follow `inner`, but spend `rate` (0 to 1) of the choices evenly on the whole shortlist.

    Every candidate of a shortlist of n then has at least `rate` / n, which is what off-policy evaluation
    divides by. Raises ValueError for a rate out of range.
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
        if self.rate == 0.0 or len(odds.by_id) == 1:
            return odds
        return odds.explored(self.rate)


def settled(policy: Policy) -> Policy:
    """The policy without its exploration: for pinned, local and session-bound requests, and for `route`."""
    while isinstance(policy, Explore):
        policy = policy.inner
    return policy
