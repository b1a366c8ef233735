"""The outcome log on disk: SQLite in WAL mode, one writer thread, group commit."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Self

from edgewise.domain.errors import StoreError
from edgewise.outcomes.retention import Retention
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import Writer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from edgewise.domain.decisions import Record
    from edgewise.outcomes.schema import Synchronous
    from edgewise.outcomes.writer import Entry
    from edgewise.settings.schema import StoreSettings

MOST_WAITING = 20_000


class SqliteLog:
    """An `OutcomeLog` in one file: `async with SqliteLog(path) as log: await log.append(decision)`.

    What `append` gives back resolves after the commit: with `synchronous="NORMAL"` the records then
    survive the end of the process, however violent; with "FULL" also a power cut, at an fsync a commit.
    The same id twice keeps the first. `retention` says how long (default: for ever). `salt` keys the
    prompts' hashes. `lost` counts records that could not be written, `last_error` says why.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention: StoreSettings | None = None,
        synchronous: Synchronous = "NORMAL",
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules = Retention(retention.max_age_days, retention.max_size_mb) if retention else Retention()
        self.path = path
        self.salt = b""
        self.lost = 0
        self.last_error: str | None = None
        self._synchronous: Synchronous = synchronous
        self._most_waiting = most_waiting
        self._clock = clock
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._loop: AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._ended: Future[None] | None = None
        self._taken = 0
        self._settled = 0

    @property
    def backlog(self) -> int:
        """How many calls of `append` have not been committed yet."""
        return self._taken - self._settled

    async def open(self) -> None:
        """Open the file, or make it, and start the writer. Raises StoreError."""
        loop = asyncio.get_running_loop()
        opened: Future[None] = loop.create_future()
        self._ended = loop.create_future()
        self._queue = SimpleQueue()
        self._loop = loop
        self._thread = Thread(target=self._work, args=(opened,), name="edgewise-log", daemon=True)
        self._thread.start()
        try:
            await opened
        except BaseException:
            self._loop = self._thread = None
            self._queue.put(None)  # the thread may still be on its way
            raise

    async def aclose(self) -> None:
        """Write all that was appended, then close the file. Records that come later are refused."""
        thread, ended = self._thread, self._ended
        if thread is None or ended is None:
            return
        self._loop = self._thread = None
        self._queue.put(None)
        await asyncio.shield(ended)
        thread.join()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def append(self, *records: Record) -> Awaitable[None]:
        """Hand the records to the writer, to be committed together. Call it on the loop that opened the log.

        What comes back need not be awaited. It raises StoreError if the records could not be written.
        """
        loop = self._loop
        if loop is None:
            return self._refused(records, "is not open")
        if self._taken - self._settled >= self._most_waiting:
            return self._refused(records, f"is {self._most_waiting} records behind its disk")
        self._taken += 1
        future = loop.create_future()
        self._queue.put((future, records))
        return future

    def _refused(self, records: tuple[Record, ...], why: str) -> Awaitable[None]:
        future: Future[None] = asyncio.get_running_loop().create_future()
        self._fail([(future, records)], StoreError(f"The outcome log {self.path} {why}."))
        return future

    def _work(self, opened: Future[None]) -> None:
        """The thread: open, write until the end, say so."""
        loop, queue = opened.get_loop(), self._queue
        try:
            connection = connect(self.path, synchronous=self._synchronous)
            self.salt = connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()[0]
        except Exception as error:  # noqa: BLE001 - whatever it is, `open` raises it
            _tell(loop, _reject, opened, error)
            return
        _tell(loop, _resolve, opened)
        writer = Writer(self.path, queue, self._settle_soon, retention=self._rules, clock=self._clock)
        try:
            writer.run(connection)
        finally:
            _tell(loop, self._stopped, queue)

    def _stopped(self, queue: SimpleQueue[Entry | None]) -> None:
        """Nobody writes any more: refuse what comes, and what came too late."""
        self._loop = None
        left: list[Entry] = []
        with suppress(Empty):
            while True:
                if (entry := queue.get_nowait()) is not None:
                    left.append(entry)
        self._fail_taken(left, StoreError(f"The outcome log {self.path} has stopped."))
        if self._ended is not None:
            _resolve(self._ended)

    def _settle_soon(self, entries: list[Entry], error: StoreError | None) -> None:
        """In the writer's thread: one wake-up of the loop for the whole commit."""
        loop = entries[0][0].get_loop()
        if error is None:
            _tell(loop, self._settle, entries)
        else:
            _tell(loop, self._fail_taken, entries, error)

    def _settle(self, entries: list[Entry]) -> None:
        self._settled += len(entries)
        for future, _ in entries:
            if not future.done():  # whoever waited may have been cancelled
                future.set_result(None)

    def _fail_taken(self, entries: list[Entry], error: StoreError) -> None:
        self._settled += len(entries)
        self._fail(entries, error)

    def _fail(self, entries: list[Entry], error: StoreError) -> None:
        if entries:
            self.last_error = str(error)
        for future, records in entries:
            self.lost += len(records)
            if not future.done():
                future.set_exception(StoreError(str(error)))
                future.exception()  # seen: `lost` counts it, also where nobody waits


def _tell(loop: AbstractEventLoop, call: Callable[..., None], *values: object) -> None:
    with suppress(RuntimeError):  # the loop has ended without closing the log
        loop.call_soon_threadsafe(call, *values)


def _resolve(future: Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _reject(future: Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
