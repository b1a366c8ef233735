"""How long one wait may last, at the price of one timer a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Deadline:
    """`with deadline.by(at):` around each wait; raises `TimeoutError` once the loop's time is past `at`.

    `asyncio.timeout` does the same with a timer each time; a stream waits hundreds of times. The timer of
    this one only looks whether a wait has lasted too long, and is set again if not. `close` ends it.
    """

    __slots__ = ("_at", "_cancelling", "_expired", "_handle", "_loop", "_task")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._at = 0.0
        self._cancelling = 0
        self._expired = False

    def by(self, at: float) -> Deadline:
        """The next wait ends at `at`, in the loop's time."""
        self._at = at
        handle = self._handle
        if handle is None or at < handle.when():
            if handle is not None:
                handle.cancel()
            self._handle = self._loop.call_at(at, self._look)
        return self

    def close(self) -> None:
        """End the timer."""
        self._task = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def __enter__(self) -> None:
        """Begin to wait."""
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task is not None else 0
        self._expired = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The wait is over. Whoever else cancelled the task meanwhile goes first."""
        task, self._task = self._task, None
        if not self._expired or task is None:
            return
        alone = task.uncancel() <= self._cancelling
        if alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def _look(self) -> None:
        self._handle = None
        if self._task is None:  # nobody waits: the next wait sets the timer again
            return
        if self._loop.time() < self._at:
            self._handle = self._loop.call_at(self._at, self._look)
            return
        self._expired = True
        self._task.cancel()
