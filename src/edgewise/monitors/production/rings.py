"""The last seven days in buckets that get coarser with age: 30 x 10 s, 60 min, 96 quarters, 168 h."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

from edgewise.monitors.production.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

# Window → (seconds a bucket, buckets).
RINGS: Final = {"5m": (10.0, 30), "1h": (60.0, 60), "24h": (900.0, 96), "7d": (3600.0, 168)}
STEP_S: Final = 10.0


class Ring:
    """The last `count` buckets of `width_s` seconds, the one under way included."""

    def __init__(self, width_s: float, count: int) -> None:
        self.width_s, self.count = width_s, count
        self._buckets: dict[int, Tally] = {}

    def at(self, bucket: int) -> Tally:
        """The tally of a bucket, made where there is none; the farthest goes when there are too many.

        That is the oldest, or, where the clock was ahead and has been set back, what lies ahead.
        """
        found = self._buckets.get(bucket)
        if found is None:
            found = self._buckets[bucket] = Tally()
            while len(self._buckets) > self.count + 1:
                del self._buckets[max(self._buckets, key=lambda known: abs(known - bucket))]
        return found

    def all(self) -> list[tuple[int, Tally]]:
        """The buckets that there are, oldest first."""
        return sorted(self._buckets.items(), key=itemgetter(0))

    def last(self, now: float) -> list[tuple[int, Tally]]:
        """The buckets of the window that ends at `now`, oldest first; the one under way is the last."""
        newest = int(now // self.width_s)
        return [(b, t) for b, t in sorted(self._buckets.items()) if newest - self.count < b <= newest]


def total(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    summed = Tally()
    for tally in tallies:
        summed.add(tally)
    return summed
