"""The counts of one stretch of time. They add up: a tally of an hour is the sum of its minutes'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgewise.domain.decisions import Outcome

COUNTS: Final = (
    "edge", "cloud", "ok", "failed", "cancelled", "fallbacks", "priced", "cost_usd", "cost_squares",
    "cloud_usd", "paid_usd", "unpriced", "said", "quality", "quality_squares",
    "powered", "energy_j",
)  # fmt: skip


class Tally:
    """What happened in one stretch of time.

    `edge` and `cloud` are requests by where they ended, `fallbacks` answers by another after the first had
    failed. `priced`, `cost_usd` and `cost_squares` are requests with a known cost; `cloud_usd` is the cloud's
    part. `paid_usd` is all that calls cost, shadows included, and `unpriced` the calls of unknown cost.
    `said`, `quality` and `quality_squares` are feedback. `powered`
    are requests with a known energy, `energy_j` its sum in joules. `took` are answers by bucket of latency.
    """

    __slots__ = (*COUNTS, "took")

    edge: int
    cloud: int
    ok: int
    failed: int
    cancelled: int
    fallbacks: int
    priced: int
    cost_usd: float
    cost_squares: float
    cloud_usd: float
    paid_usd: float
    unpriced: int
    said: int
    quality: float
    quality_squares: float
    powered: int
    energy_j: float

    def __init__(self) -> None:
        for name in COUNTS:
            setattr(self, name, 0)
        self.took: dict[int, int] = {}

    @property
    def requests(self) -> int:
        """All that ended."""
        return self.ok + self.failed + self.cancelled

    def add(self, other: Tally) -> None:
        """Count the other's, too."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        took = self.took
        for place, count in other.took.items():
            took[place] = took.get(place, 0) + count


def fell_back(outcome: Outcome) -> bool:
    """Whether another than the first that was asked answered, because the first had failed."""
    if not outcome.attempts:
        return False
    first = outcome.attempts[0]
    return first.candidate != outcome.candidate and first.status in ("error", "incomplete")
