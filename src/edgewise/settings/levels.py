"""From where on a signal means trouble: the defaults, and how `[signals.levels]` changes them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgewise.settings.schema import LevelSettings

LEAVE_AT = 0.9  # of the entry, where nobody says more
TIMES = ("dwell_s", "smoothing_s", "ttl_s")


class Band(Struct, frozen=True):
    """A state is entered at `enter` and left at `leave`.

    The two differ, or noise around one number would flip the state with every sample. Where `leave` is
    below `enter`, high values are bad; where it is above, low ones.
    """

    enter: float
    leave: float

    @property
    def low_is_bad(self) -> bool:
        """Whether trouble lies below (a battery) and not above (a temperature)."""
        return self.leave > self.enter

    def holds(self, value: float, *, already: bool) -> bool:
        """Whether `value` makes the state, or keeps it where it is there `already`."""
        if self.low_is_bad:
            return value < self.leave if already else value <= self.enter
        return value > self.leave if already else value >= self.enter


class Level(Struct, frozen=True, kw_only=True):
    """How the values of one signal become states.

    Values are smoothed with the time constant `smoothing_s` (0: not at all). A state lasts at least
    `dwell_s`. A value older than `ttl_s` is unknown; None is three times the interval at which it is
    read, at least 5 s, and 30 s for what is not read at an interval.
    """

    constrained: Band | None = None
    critical: Band | None = None
    dwell_s: float = 5.0
    smoothing_s: float = 0.0
    ttl_s: float | None = None


PLAIN = Level()
# cpu, memory, gpu and the critical gpu are the published defaults of the orchestration SDK (80, 85, 85 and
# 95 %). A busy CPU is never critical: a model that answers on it keeps it busy.
LEVELS: dict[str, Level] = {
    # Lost at once, by its source's own word; back after five seconds without another loss.
    "link": Level(critical=Band(0.50, 0.90), smoothing_s=2.0),
    # Over a simulated hour with one slowdown these flip twice, a raw threshold more than a thousand times.
    "rtt_s": Level(constrained=Band(0.300, 0.225), smoothing_s=10.0),
    "first_byte_s": Level(smoothing_s=30.0),
    "latency_s": Level(smoothing_s=60.0, ttl_s=600.0),
    "loaded": Level(),
    "cpu": Level(constrained=Band(0.80, 0.70), smoothing_s=3.0),
    "memory": Level(constrained=Band(0.85, 0.80), critical=Band(0.95, 0.92)),
    "load": Level(constrained=Band(2.0, 1.5), critical=Band(8.0, 6.0)),
    "pressure_cpu": Level(constrained=Band(0.60, 0.45)),
    "pressure_memory": Level(constrained=Band(0.10, 0.05), critical=Band(0.40, 0.25)),
    "pressure_io": Level(constrained=Band(0.50, 0.35)),
    "gpu": Level(constrained=Band(0.85, 0.75), critical=Band(0.95, 0.90), smoothing_s=10.0),
    "gpu_memory": Level(constrained=Band(0.90, 0.85), critical=Band(0.98, 0.95)),
    "battery": Level(constrained=Band(0.30, 0.35), critical=Band(0.10, 0.15)),
    "temperature": Level(constrained=Band(85.0, 80.0), critical=Band(95.0, 90.0), smoothing_s=10.0),
}


def level_of(name: str, overrides: Mapping[str, LevelSettings] | None = None) -> Level:
    """The level of a signal. One called `name:candidate` has that of `name` unless it has its own."""
    family = name.partition(":")[0]
    default = LEVELS.get(name) or LEVELS.get(family) or PLAIN
    given = (overrides.get(name) or overrides.get(family)) if overrides else None
    if given is None:
        return default
    return Level(
        constrained=_band(default.constrained, given.constrained, given.constrained_leave),
        critical=_band(default.critical, given.critical, given.critical_leave),
        dwell_s=default.dwell_s if given.dwell_s is None else given.dwell_s,
        smoothing_s=default.smoothing_s if given.smoothing_s is None else given.smoothing_s,
        ttl_s=default.ttl_s if given.ttl_s is None else given.ttl_s,
    )


def complaints(key: str, name: str, given: LevelSettings) -> Iterator[Complaint]:
    """What is wrong in `[signals.levels.NAME]`, whose path is `key`."""
    level = level_of(name, {name: given})
    for state, band in (("constrained", level.constrained), ("critical", level.critical)):
        leave = f"{state}_leave"
        if band is None:
            if getattr(given, leave) is not None:
                yield Complaint(f"{key}.{leave}", "has no effect", f"expected {state} beside it")
        elif not (isfinite(band.enter) and isfinite(band.leave)):
            yield Complaint(f"{key}.{state}", "is not finite", "expected an ordinary number")
        elif band.enter == band.leave:
            yield expected(f"{key}.{leave}", band.leave, f"a number other than {state}, or states would flip")
    yield from _order(key, level)
    for time in TIMES:
        value = getattr(given, time)
        if value is not None and not (0.0 <= value < float("inf")):
            yield expected(f"{key}.{time}", value, "a number of 0 or more")


def _order(key: str, level: Level) -> Iterator[Complaint]:
    """Trouble lies on one side, and critical lies beyond constrained."""
    first, second = level.constrained, level.critical
    if first is None or second is None:
        return
    further = second.enter <= first.enter if first.low_is_bad else second.enter >= first.enter
    if first.low_is_bad != second.low_is_bad or not further:
        side = "below" if first.low_is_bad else "above"
        yield expected(f"{key}.critical", second.enter, f"a number {side} constrained ({first.enter:g})")


def _band(default: Band | None, enter: float | None, leave: float | None) -> Band | None:
    """The default with what was given; a new entry takes its leave along, in proportion."""
    if enter is None:
        return default if default is None or leave is None else Band(default.enter, leave)
    if leave is not None:
        return Band(enter, leave)
    return Band(enter, enter * (default.leave / default.enter if default is not None else LEAVE_AT))
