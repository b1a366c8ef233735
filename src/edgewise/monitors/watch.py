"""A monitor and how often it is read; and what came of it so far."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any, get_args

from msgspec import Struct

from edgewise.domain.protocols import Monitor
from edgewise.domain.signals import Reading, State

logger = logging.getLogger(__name__)
MOST_READINGS = (
    1_000  # of one monitor at a time: one that never ends must not keep the others from being read
)
LARGEST = 2**1023  # what a float can hold


class Watch(Struct, frozen=True):
    """`monitor`, called `name` in settings and messages, is read every `interval_s` seconds.

    One that may hang (a driver's, or somebody else's) is read `alone`, in a thread of its own.
    """

    name: str
    monitor: Monitor
    interval_s: float = 1.0
    alone: bool = False


class Turn:
    """One watch's place in the round: when it is due, what it gave last time, how often it failed."""

    __slots__ = ("_given", "due_at", "failures", "watch")

    def __init__(self, watch: Watch, now: float) -> None:
        self.watch = watch
        self.due_at = now
        self.failures = 0
        self._given: dict[str, Reading] = {}

    def take(self, now: float) -> tuple[Reading, ...]:
        """Read the monitor. What it gave before and does not give now comes without a value: unknown."""
        self.due_at += self.watch.interval_s
        if self.due_at <= now:  # the machine slept, or a monitor took its time
            self.due_at = now + self.watch.interval_s
        try:
            readings = tuple(map(_sound, islice(self.watch.monitor.read(), MOST_READINGS)))
        except (Exception, SystemExit):  # whatever it raises, the other monitors go on being read
            self.failures += 1
            if self.failures == 1:
                logger.exception(
                    "The monitor %s failed; its signals are unknown. It goes on being read, and further "
                    "failures are counted and not logged.",
                    self.watch.name,
                )
            readings = ()
        named = {reading.name: reading for reading in readings}
        lost = tuple(
            Reading(name, None, before.unit, before.source)
            for name, before in self._given.items()
            if name not in named
        )
        self._given = named or self._given
        return readings + lost


def _sound(reading: Any) -> Reading:
    """The reading, if it is one; somebody else's monitor may give anything."""
    if not isinstance(reading, Reading):
        raise TypeError(f"A monitor gives readings, not {type(reading).__name__}.")
    words: tuple[Any, ...] = (reading.name, reading.unit, reading.source)
    if not all(isinstance(word, str) for word in words):
        raise TypeError("The name, the unit and the source of a reading are texts.")
    value: Any = reading.value
    if not (value is None or isinstance(value, int | float)):
        raise TypeError(f"The value of {reading.name!r} is {type(value).__name__}, not a number.")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"The value of {reading.name!r} is no number that a signal can have.")
    if not (reading.state is None or reading.state in get_args(State)):
        raise ValueError(f"The state of {reading.name!r} is {reading.state!r}, not {get_args(State)}.")
    return reading
