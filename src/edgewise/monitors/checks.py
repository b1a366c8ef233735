"""What every monitor must keep to: run this over your own."""

from __future__ import annotations

import re
from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING, get_args

from edgewise.domain.signals import Reading, State

if TYPE_CHECKING:
    from edgewise.domain.protocols import Monitor

NAME = re.compile(r"[a-z][a-z0-9_]*(:[!-~]+)?")


def check_monitor(monitor: Monitor, *, rounds: int = 2) -> tuple[Reading, ...]:
    """Assert that what the monitor reads is sound, and give back the last round of it.

    A name is in small letters, with digits and underscores, and may go on with `:` and a candidate's id; it
    comes once a round, always with the same unit. A value is finite, or None where it is not known,
    and then it has no state but `unknown`. Every reading says where it is from. Raises AssertionError with
    what was found.
    """
    kind = type(monitor).__name__
    units: dict[str, str] = {}
    readings: tuple[Reading, ...] = ()
    for _ in range(rounds):
        readings = tuple(monitor.read())
        for reading in readings:
            _check(kind, reading)
            unit = units.setdefault(reading.name, reading.unit)
            assert unit == reading.unit, (
                f"{kind} gave {reading.name} in {unit!r} and then in {reading.unit!r}"
            )
        twice = [name for name, times in Counter(r.name for r in readings).items() if times > 1]
        assert not twice, f"{kind} gave {', '.join(twice)} more than once in a round"
    return readings


def _check(kind: str, reading: Reading) -> None:
    assert isinstance(reading, Reading), f"{kind} gave {reading!r}, which is not a Reading"
    name, value = reading.name, reading.value
    assert NAME.fullmatch(name), f"{kind} gave the name {name!r}, not one such as cpu or rtt_s:phi"
    assert reading.unit.strip(), f"{kind} gave {name} without a unit"
    assert reading.source.strip(), f"{kind} gave {name} without a source"
    assert reading.state is None or reading.state in get_args(State), (
        f"{kind} gave {name} the state {reading.state!r}, not one of {', '.join(get_args(State))}"
    )
    if value is None:
        assert reading.state in (None, "unknown"), f"{kind} knows no {name} and calls it {reading.state}"
        return
    assert isinstance(value, int | float), f"{kind} gave {name} the value {value!r}, which is no number"
    assert isfinite(value), f"{kind} gave {name} the value {value}; unknown is None"
