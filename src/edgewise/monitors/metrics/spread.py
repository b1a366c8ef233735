"""A histogram that is cheap to count into: values wait in a list, and are put into buckets many at a time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

# 0.15 s is where the published alert begins.
DURATION_S: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
)  # fmt: skip
OVERHEAD_S: Final = (
    0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
)  # fmt: skip
DECISION_S: Final = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1)
TOKENS: Final = (16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0)
COST_USD: Final = (0.0, 1e-6, 1e-5, 1e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
QUALITY: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)


class Spread:
    """`counts[i]` values up to `bounds[i]` and above the bound before; the last count is of those above all.

    `add` counts a value; it shows in `counts` and `total` after `settle`, which whoever adds must call now
    and then: a sorted list finds its buckets for half of what one value at a time costs.
    """

    __slots__ = ("_waiting", "add", "bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0
        self._waiting: list[float] = []
        self.add = self._waiting.append

    def settle(self) -> None:
        """Put what waits into its buckets."""
        waiting = self._waiting
        if not waiting:
            return
        waiting.sort()
        placed, counts = 0, self.counts
        for index, bound in enumerate(self.bounds):
            until = bisect_right(waiting, bound, placed)
            counts[index] += until - placed
            placed = until
            if placed == len(waiting):
                break
        counts[-1] += len(waiting) - placed
        self.total += sum(waiting)
        waiting.clear()
