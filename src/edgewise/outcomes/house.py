"""Keeping house in the log between two commits: forgetting and shrinking, a little at a time."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edgewise.outcomes.retention import Pace, is_worth_shrinking, shrink

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from edgewise.outcomes.retention import Retention

HOUSEKEEPING_S = 60.0
SHARE_OF_TIME = 0.1  # what housekeeping may take while there is much of it


class House:
    """Takes one bounded step of forgetting at a time; soon again if there is more to forget.

    Each step is a transaction: where the process ends between two, the next one goes on from there.
    """

    def __init__(self, retention: Retention, clock: Callable[[], float]) -> None:
        self._retention, self._clock = retention, clock
        self._pace = Pace()
        self._next_at = 0.0

    @property
    def leisure_s(self) -> float:
        """Seconds until there may be something to do."""
        return max(0.0, self._next_at - time.monotonic())

    def keep(self, connection: Connection) -> None:
        """One step, if it is time for it."""
        began = time.monotonic()
        if began < self._next_at:
            return
        more = False
        with suppress(sqlite3.Error):  # locked or full: the next turn comes
            more = self._pace.step(self._retention, connection, self._clock()) > 0
            if not more and is_worth_shrinking(connection):
                more = shrink(connection)
        now = time.monotonic()
        self._next_at = now + ((now - began) / SHARE_OF_TIME if more else HOUSEKEEPING_S)
