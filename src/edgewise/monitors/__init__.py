"""The world as it is now: signals, read in the background and looked up in well under a microsecond."""

from __future__ import annotations

from edgewise.monitors.board import Board
from edgewise.monitors.checks import check_monitor
from edgewise.monitors.clock import Clock, SettableClock, SystemClock
from edgewise.monitors.registry import board_for, watches_for
from edgewise.monitors.watch import Watch
from edgewise.monitors.world import World

__all__ = [
    "Board",
    "Clock",
    "SettableClock",
    "SystemClock",
    "Watch",
    "World",
    "board_for",
    "check_monitor",
    "watches_for",
]
