"""How long one wait may last, at the price of a few assignments."""

from __future__ import annotations

import asyncio
from math import inf

__all__ = ["Deadlines", "Wait"]


class Wait:
    """What a task waits for, one thing after the other: `begin(at)`, await, `over()`.

    Once the loop's time is past `at`, the task is cancelled; `is_late` then says of a CancelledError whether
    that was us, and takes it back. `close` when nothing more will be waited for.
    """

    __slots__ = ("_cancelling", "_deadlines", "_expired", "at", "task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._expired, self._cancelling = False, 0
        self.task: asyncio.Task[object] | None = None
        self.at = inf

    def begin(self, at: float) -> None:
        """Wait until `at`, in the loop's time."""
        self.at, self.task = at, asyncio.current_task()
        if at < self._deadlines.next_at:
            self._deadlines.look_at(at)

    def over(self) -> None:
        """What was waited for has come."""
        self.task = None

    def is_late(self) -> bool:
        """Whether the CancelledError that ended the wait was this deadline's, and nobody else's."""
        task, self.task = self.task, None
        if not self._expired or task is None:
            return False
        self._expired = False
        return task.uncancel() <= self._cancelling

    def close(self) -> None:
        """Nothing more is waited for."""
        self.task = None
        self._deadlines.waits.discard(self)

    def expire(self) -> None:
        """The time is up: from the timer."""
        if self.task is not None and not self._expired:
            self._expired, self._cancelling = True, self.task.cancelling()
            self.task.cancel()


class Deadlines:
    """All waits of one event loop, behind one timer that goes off when the earliest of them is due.

    `asyncio.timeout` sets and cancels a timer each time; a stream waits hundreds of times.
    """

    def __init__(self) -> None:
        self.waits: set[Wait] = set()
        self.next_at = inf
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None

    def wait(self, loop: asyncio.AbstractEventLoop) -> Wait:
        """A new one; on another event loop than before, the others are forgotten with theirs."""
        if loop is not self._loop:
            self.waits, self.next_at, self._loop, self._handle = set(), inf, loop, None
        wait = Wait(self)
        self.waits.add(wait)
        return wait

    def look_at(self, at: float) -> None:
        """Set the timer to an earlier time."""
        if self._handle is not None:
            self._handle.cancel()
        if self._loop is not None:
            self.next_at, self._handle = at, self._loop.call_at(at, self._look)

    def _look(self) -> None:
        """End the waits that are due, and come back for the next."""
        self.next_at, self._handle = inf, None
        now = self._loop.time() if self._loop is not None else 0.0
        earliest = inf
        for wait in tuple(self.waits):
            if wait.task is None:  # its next wait sets the timer again
                continue
            if wait.at <= now:
                wait.expire()
            elif wait.at < earliest:
                earliest = wait.at
        if earliest < inf:
            self.look_at(earliest)
