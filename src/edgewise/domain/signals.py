"""One fact about the world, with its age. A stale fact is unknown, which is neither good nor bad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

# What a number means for placement. `unknown` is neither good nor bad: nobody may object because of it.
State = Literal["unknown", "normal", "constrained", "critical"]


class Reading(Struct, frozen=True):
    """What a monitor has just read: a number in `unit`, or None where there is nothing to read.

    `state` stands where the source itself knows it (a link that is down); otherwise the levels decide.
    """

    name: str
    value: float | None
    unit: str
    source: str
    state: State | None = None


class Signal(Struct, frozen=True):
    """`value` in `unit`, read at `at` (unix seconds) from `source`, good for `ttl_s` seconds.

    The value is smoothed; `state` has hysteresis and a minimum dwell. Signals about one candidate are
    called `name:candidate`.
    """

    name: str
    value: float | None
    unit: str
    at: float
    source: str
    state: State = "unknown"
    ttl_s: float = 30.0


# By name. What is stale stands in it with the state `unknown` and no value.
Signals = Mapping[str, Signal]
NO_SIGNALS: Signals = {}


def known(signals: Signals) -> dict[str, float]:
    """The values that are known, by name."""
    return {signal.name: signal.value for signal in signals.values() if signal.value is not None}
