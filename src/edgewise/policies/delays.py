"""What the world adds to a candidate's latency now: the wait in its queue, and the way there and back."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.signals import Signal

ROUND_TRIP = "rtt_s:"
QUEUE_WAIT = "queue_wait_s:"
IGNORED = frozenset({"unknown"})


def delays(signals: Iterable[Signal]) -> dict[str, float]:
    """Seconds by candidate's id, of those for whom there is anything to add.

    They come from signals called `rtt_s:ID` (round trip) and `queue_wait_s:ID`, in seconds, which add up.
    The outcomes that latency was learned from include the way of their day already, so that an ordinary
    round trip counts twice, some tens of milliseconds; a long one moves the choice. A signal that is
    `unknown`, or without sense, counts for nothing.
    """
    found: dict[str, float] = {}
    for signal in signals:
        prefix, colon, candidate = signal.name.partition(":")
        value = signal.value
        if prefix + colon not in (ROUND_TRIP, QUEUE_WAIT) or signal.state in IGNORED:
            continue
        if value is not None and isfinite(value) and value > 0.0:
            found[candidate] = found.get(candidate, 0.0) + value
    return found
