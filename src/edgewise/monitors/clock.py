"""What time it is, twice over: seconds that only ever pass, and the calendar's."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks in one, since only one of them can be trusted to go forward."""

    def elapsed(self) -> float:
        """Seconds since some moment; they never jump."""
        ...

    def wall(self) -> float:
        """Unix seconds, which people and time servers set."""
        ...


class SystemClock:
    """The machine's own clocks."""

    elapsed = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


class SettableClock:
    """A clock that moves when it is told to, for tests and traces."""

    def __init__(self, *, wall: float = 1_700_000_000.0) -> None:
        self._elapsed = 0.0
        self._wall = wall

    def elapsed(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def wall(self) -> float:
        """Unix seconds."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds
        self._wall += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server does. No time passes."""
        self._wall += seconds
