"""What is checked of `[signals]`."""

from __future__ import annotations

from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, either, expected
from edgewise.settings.levels import complaints as level_complaints
from edgewise.settings.secrecy import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgewise.settings.schema import SignalsSettings

# Our own monitors, and the seconds between two readings: short for what changes fast or costs little.
INTERVALS = {
    "link": 1.0,
    "machine": 1.0,
    "pressure": 2.0,
    "gpu": 2.0,
    "temperature": 5.0,
    "power": 10.0,
    "metered": 30.0,
}


def complaints(signals: SignalsSettings) -> Iterator[Complaint]:
    """Everything in this section that cannot be run."""
    if not 0.0 < signals.probe_after_s < inf:
        yield expected("signals.probe_after_s", signals.probe_after_s, "a number of seconds above 0")
    custom = [monitor.name for monitor in signals.custom]
    known = (*INTERVALS, *custom)
    for index, name in enumerate(signals.off):
        if name not in known:
            yield expected(f"signals.off[{index}]", name, _one_of(known, name))
    for name, interval in signals.intervals.items():
        key = f"signals.intervals.{shown_key(name)}"
        if name not in known:
            yield Complaint(key, "is about no monitor", f"expected {_one_of(known, name)}")
        elif not 0.0 < interval < inf:
            yield expected(key, interval, "a number of seconds above 0")
    for name, level in signals.levels.items():
        yield from level_complaints(f"signals.levels.{shown_key(name)}", name, level)
    for index, name in enumerate(custom):
        if known.index(name) != len(INTERVALS) + index:
            yield expected(f"signals.custom[{index}].name", name, "a name that no other monitor has")


def _one_of(known: Sequence[str], name: str) -> str:
    near = get_close_matches(name, known, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"a monitor: {either(known)}{hint}"
