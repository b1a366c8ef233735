"""How far a profile is, while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Pace:
    """The calls of one endpoint: how many are left, and how many ended since `began` (monotonic seconds)."""

    left: int
    ended: int = 0
    began: float = 0.0

    def rest_s(self, now: float) -> float | None:
        """Seconds until the last one at the pace so far; None before the first has ended."""
        if not self.left:
            return 0.0
        return self.left * (now - self.began) / self.ended if self.ended else None


@dataclass(slots=True)
class Tally:
    """Counts of calls: `total` in the whole profile, `ended` of them, some `before` this run began.

    `failed` and `lost` are among those that ended, `unaffordable` were not made for want of money.
    """

    total: int = 0
    before: int = 0
    ended: int = 0
    failed: int = 0
    lost: int = 0
    unaffordable: int = 0
    paces: dict[str, Pace] = field(default_factory=dict[str, Pace])
    clock: Callable[[], float] = monotonic

    @property
    def rest_s(self) -> float | None:
        """Seconds until the slowest endpoint is done, at its pace so far; None while nobody can tell."""
        now = self.clock()
        rests = [pace.rest_s(now) for pace in self.paces.values()]
        known = [rest for rest in rests if rest is not None]
        return max(known) if known else None
