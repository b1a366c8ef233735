"""What was counted of the log, kept beside it: a start counts the last hour, and not seven days.

Only buckets that are over are kept, and they are counted from the log itself, whoever wrote it. The gateway
alone writes `tallies.json`.
"""

from __future__ import annotations

from math import inf, nextafter
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from edgewise.monitors.production.kept import read_file, write_file
from edgewise.monitors.production.rings import RINGS, Ring
from edgewise.monitors.production.taking import take
from edgewise.monitors.production.tally import COUNTS, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgewise.outcomes.reader import LogReader

FILE: Final = "tallies.json"
WINDOWS: Final = ("24h", "7d")  # the others hold an hour at most
LATE_S: Final = 300.0  # a record may be on its way to the disk for a while


class _Stretch(Struct, frozen=True, array_like=True):
    """One bucket: its numbers in the order of `counts`, and its answers by bucket of latency."""

    numbers: tuple[int | float, ...]
    took: dict[int, int]


class _Kept(Struct, frozen=True):
    """What was counted of the log `log`: by window, up to `until` (unix seconds), what the buckets hold."""

    log: str = ""
    counts: tuple[str, ...] = COUNTS
    until: dict[str, float] = field(default_factory=dict[str, float])
    buckets: dict[str, dict[int, _Stretch]] = field(default_factory=dict[str, dict[int, _Stretch]])

    def is_of(self, log: str) -> bool:
        """Whether it was counted of this log, by this version."""
        stretches = (stretch for buckets in self.buckets.values() for stretch in buckets.values())
        return (self.log, self.counts) == (log, COUNTS) and all(
            len(s.numbers) == len(COUNTS) for s in stretches
        )


class Tallies:
    """The closed buckets of the log that `reader` reads, in `folder`. Blocks: call it in a thread."""

    def __init__(self, folder: Path, reader: LogReader) -> None:
        self._path, self._reader, self._log = folder / FILE, reader, reader.identity()
        kept = read_file(self._path, _Kept)
        self._kept = kept if kept is not None and kept.is_of(self._log) else _Kept(self._log)

    def update(self, edges: Mapping[str, bool], now: float) -> None:
        """Count what is over by `now` (unix seconds), and put it down. Raises StoreError.

        `edges` says of candidates whether they are at the edge, where the log should not decide that.
        """
        known = {name: place == "edge" for name, place in self._reader.locations().items()} | dict(edges)
        until: dict[str, float] = {}
        buckets: dict[str, dict[int, _Stretch]] = {}
        for window in WINDOWS:
            width_s, count = RINGS[window]
            ring, first = Ring(width_s, count), _first(window, now)
            over = (now - LATE_S) // width_s * width_s
            begun = self.fill(window, ring, now)
            if begun < over:
                take(ring, self._reader.counted(_before(begun), _before(over), width_s), known)
            until[window] = max(begun, over)
            buckets[window] = {b: _packed(t) for b, t in ring.all() if first <= b * width_s < until[window]}
        changed = until != self._kept.until
        self._kept = _Kept(self._log, until=until, buckets=buckets)
        if changed:
            write_file(self._path, self._kept)

    def fill(self, window: str, ring: Ring, now: float) -> float:
        """Put what is kept of a window that ends at `now` into `ring`.

        Returns from when on the log has to be counted (unix seconds).
        """
        first = _first(window, now)
        until = self._kept.until.get(window, 0.0)
        if not first < until <= now:  # too old, or of a clock that was set back
            return first
        for bucket, stretch in self._kept.buckets.get(window, {}).items():
            if bucket * ring.width_s >= first:
                ring.at(bucket).add(_unpacked(stretch))
        return until


def _first(window: str, now: float) -> float:
    """When the oldest bucket of a window begins."""
    width_s, count = RINGS[window]
    return (int(now // width_s) - count + 1) * width_s


def _before(at: float) -> float:
    """The log is counted after one time and up to another; buckets begin at their first moment."""
    return nextafter(at, -inf)


def _packed(tally: Tally) -> _Stretch:
    return _Stretch(tuple(getattr(tally, name) for name in COUNTS), dict(tally.took))


def _unpacked(stretch: _Stretch) -> Tally:
    tally = Tally()
    for name, number in zip(COUNTS, stretch.numbers, strict=True):
        setattr(tally, name, number)
    tally.took.update(stretch.took)
    return tally
