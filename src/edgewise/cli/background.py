"""An event loop in a thread of its own, so that the main thread can wait for a person."""

from __future__ import annotations

import asyncio
import sys
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Coroutine

T = TypeVar("T")


class Stopped(Exception):
    """Ctrl-C ended what was waited for."""


class Background:
    """`with Background() as loop: loop.run(main())`. The loop goes on between two calls of `run`."""

    def __init__(self) -> None:
        self._loop = _new_loop()
        self._thread = Thread(target=self._loop.run_forever, name="edgewise-chat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Wait for `main`; Ctrl-C cancels it, and once it has ended raises `Stopped`."""
        done = Event()
        begun: list[Task[T]] = []

        def begin() -> None:
            task = self._loop.create_task(main)
            begun.append(task)
            task.add_done_callback(lambda _: done.set())

        def cancel() -> None:
            begun[0].cancel()

        self._loop.call_soon_threadsafe(begin)
        while True:
            try:
                done.wait()
                break
            except KeyboardInterrupt:
                self._loop.call_soon_threadsafe(cancel)
        try:
            return begun[0].result()
        except asyncio.CancelledError:
            raise Stopped from None


def _new_loop() -> AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop()
