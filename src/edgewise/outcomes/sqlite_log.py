"""The outcome log on disk: SQLite in WAL mode, one writer thread, group commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from secrets import token_bytes
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import StoreError
from edgewise.outcomes.faults import fault_of, is_ours, may_pass_at_start, salt_of, set_aside
from edgewise.outcomes.gaps import Gap
from edgewise.outcomes.retention import Retention
from edgewise.outcomes.schema import APPLICATION_ID, BUSY_S, connect
from edgewise.outcomes.writer import Writer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, TimerHandle
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from sqlite3 import Connection

    from edgewise.domain.decisions import Record
    from edgewise.outcomes.schema import Synchronous
    from edgewise.outcomes.writer import Entry
    from edgewise.settings.schema import OnFailure, StoreSettings

logger = logging.getLogger(__name__)

MOST_WAITING = 20_000
MOST_HELD_BYTES = 64_000_000  # of texts that wait in memory for a disk in trouble
PATIENCE_S = 2.0  # with a disk that says nothing, and with another process's lock
RECORD_BYTES = 1_500  # what a record weighs beside its texts


class SqliteLog:
    """An `OutcomeLog` in one file: `async with SqliteLog(path) as log: await log.append(decision)`.

    What `append` gives back resolves after the commit: with `synchronous="NORMAL"` the records then
    survive the end of the process, however violent; with "FULL" also a power cut, at an fsync a commit.
    The same id twice keeps the first. `retention` says how long (default: for ever). `salt` keys the
    prompts' hashes.

    While the disk is in trouble, `problem` says why. With `on_failure="refuse"` appending then raises
    StoreError. With "serve" it does not wait: records are kept in memory, `most_waiting` calls and
    `MOST_HELD_BYTES` of them, and written once the disk is back; a torn file is set aside for a new one. One
    that is deleted or moved away meanwhile gets a successor in either case, and is counted as `lost`.
    What could not be kept or written is counted in `lost`, and written down as a `Gap`; `last_error` says
    why.
    """

    def __init__(  # noqa: PLR0913 - a file and what may differ from the defaults, by name
        self,
        path: Path,
        *,
        retention: StoreSettings | None = None,
        synchronous: Synchronous = "NORMAL",
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.time,
        on_failure: OnFailure = "refuse",
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._rules = Retention(retention.max_age_days, retention.max_size_mb) if retention else Retention()
        self.path = path
        self.salt = b""
        self.lost = 0
        self.last_error: str | None = None
        self.problem: str | None = None
        self.aside: Path | None = None
        self.was_deleted = False
        self._synchronous: Synchronous = synchronous
        self._most_waiting = most_waiting
        self._clock = clock
        self._serves = on_failure == "serve"
        self._patience_s = patience_s
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._ending = Event()
        self._loop: AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._ended: Future[None] | None = None
        self._pulse: TimerHandle | None = None
        self._pending: deque[Entry] = deque()
        self._oldest: Entry | None = None
        self._taken = self._settled = 0
        self._held_bytes = 0
        self._gap: Gap | None = None

    @property
    def backlog(self) -> int:
        """How many calls of `append` have not been committed yet."""
        return self._taken - self._settled

    def warnings(self) -> list[str]:
        """What is wrong with the log, one sentence each."""
        said = [] if self.problem is None else [f"{self.problem} {self.backlog} entries wait in memory."]
        if self.lost:
            said.append(f"{self.lost} records are missing in the outcome log ({self.last_error}).")
        if self.aside is not None:
            said.append(f"The outcome log was torn: it was set aside as {self.aside}, and a new one began.")
        if self.was_deleted:
            said.append(f"The outcome log {self.path} was deleted or moved away; a new one began there.")
        return said

    async def open(self) -> None:
        """Open the file, or make it, and start the writer.

        Raises StoreError; with "serve" not for what may pass: a lock, a full disk, a torn log.
        """
        loop = asyncio.get_running_loop()
        opened: Future[None] = loop.create_future()
        self._ended = loop.create_future()
        self._queue, self._ending = SimpleQueue(), Event()
        self._loop = loop
        self._thread = Thread(target=self._work, args=(opened,), name="edgewise-log", daemon=True)
        self._thread.start()
        try:
            await opened
        except BaseException:
            self._loop = self._thread = None
            self._queue.put(None)  # the thread may still be on its way
            raise
        self._pulse = loop.call_later(self._patience_s, self._feel_pulse)

    async def aclose(self) -> None:
        """Write all that was appended, then close the file. Records that come later are refused."""
        thread, ended = self._thread, self._ended
        if thread is None or ended is None:
            return
        self._loop = self._thread = None
        if self._pulse is not None:
            self._pulse.cancel()
        self._ending.set()
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

        What comes back need not be awaited. With "refuse" it raises StoreError if the records could not be
        written; with "serve" it is done at once while the disk is in trouble.
        """
        loop = self._loop
        if loop is None:
            return self._refused(records, "is not open")
        if self._taken - self._settled >= self._most_waiting:
            return self._refused(records, f"is {self._most_waiting} records behind its disk")
        future = loop.create_future()
        if self.problem is not None and self._serves:
            self._held_bytes += sum(map(_weight, records))
            if self._held_bytes > MOST_HELD_BYTES:
                return self._refused(records, f"has {MOST_HELD_BYTES // 1_000_000} MB waiting for its disk")
            future.set_result(None)
        self._enqueue((future, records))
        return future

    def _enqueue(self, entry: Entry) -> None:
        self._taken += 1
        self._pending.append(entry)
        self._queue.put(entry)

    def _refused(self, records: tuple[Record, ...], why: str) -> Awaitable[None]:
        future: Future[None] = asyncio.get_running_loop().create_future()
        self._fail([(future, records)], StoreError(f"The outcome log {self.path} {why}."))
        return future

    def _work(self, opened: Future[None]) -> None:
        """The thread: open, write until the end, say so."""
        loop, queue = opened.get_loop(), self._queue
        try:
            connection = self._begin()
        except Exception as error:  # noqa: BLE001 - whatever it is, `open` raises it
            _tell(loop, _reject, opened, error)
            return
        _tell(loop, _resolve, opened)
        writer = Writer(
            self.path,
            queue,
            self,
            connect=self._connect,
            retention=self._rules,
            clock=self._clock,
            ending=self._ending,
            holds=self._serves,
        )
        try:
            writer.run(connection)
        finally:
            _tell(loop, self._stopped, queue)

    def _begin(self) -> Connection | None:
        """In the thread: the file, opened or made; None where it may be later."""
        try:
            connection = self._connect()
        except (StoreError, OSError) as error:
            if not self._serves:
                raise
            if fault_of(error) == "torn" and is_ours(self.path, APPLICATION_ID):
                self.torn(set_aside(self.path))
                connection = self._connect()
            elif may_pass_at_start(error):
                self.salt = salt_of(self.path) or token_bytes(32)
                self.falter(StoreError(str(error)))
                return None
            else:
                raise
        self.salt = connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()[0]
        return connection

    def _connect(self) -> Connection:
        busy_s = min(BUSY_S, self._patience_s) if self._serves else BUSY_S
        return connect(self.path, synchronous=self._synchronous, busy_s=busy_s, salt=self.salt)

    def _stopped(self, queue: SimpleQueue[Entry | None]) -> None:
        """Nobody writes any more: refuse what comes, and what came too late."""
        self._loop = None
        left: list[Entry] = []
        with suppress(Empty):
            while True:
                if (entry := queue.get_nowait()) is not None:
                    left.append(entry)
        self._settle(left, StoreError(f"The outcome log {self.path} has stopped."))
        if self._gap is not None:
            logger.error("%d records are lost: %s", self._gap.lost, self._gap.why)
        if self._ended is not None:
            _resolve(self._ended)

    def settle(self, entries: list[Entry], error: StoreError | None) -> None:
        """In the writer's thread: one wake-up of the loop for the whole commit."""
        loop = entries[0][0].get_loop() if entries else self._loop
        if loop is not None:
            _tell(loop, self._settle, entries, error)

    def falter(self, error: StoreError) -> None:
        """In the writer's thread: the disk is in trouble; `settle` without an error ends it."""
        if (loop := self._loop) is not None:
            _tell(loop, self._falter, str(error))

    def torn(self, aside: Path) -> None:
        """In the writer's thread: a torn file was set aside."""
        if (loop := self._loop) is not None:
            _tell(loop, self._torn, aside)

    def gone(self, records: int) -> None:
        """In the writer's thread: somebody deleted or moved the file."""
        logger.error("The outcome log %s was deleted or moved away; a new one begins.", self.path)
        if (loop := self._loop) is not None:
            _tell(loop, self._gone, records)

    def _gone(self, records: int) -> None:
        self.was_deleted = True
        self._add_gap(records, f"The outcome log {self.path} was deleted or moved away, and a new one began.")

    def _torn(self, aside: Path) -> None:
        self.aside = aside
        self._add_gap(0, f"The outcome log was torn, and set aside as {aside}.")

    def _falter(self, why: str) -> None:
        """Nobody waits for a disk in trouble: the records wait alone, or with "refuse" are refused."""
        if self.problem is None:
            logger.error("%s Requests are %s.", why, "served all the same" if self._serves else "refused")
        self.problem = why
        for future, _ in self._pending:
            if future.done():
                continue
            if self._serves:
                future.set_result(None)
            else:
                _give(future, why)

    def _feel_pulse(self) -> None:
        """Now and then: whether the writer has stood still for a whole round with something to do."""
        if (loop := self._loop) is None:
            return
        oldest = self._pending[0] if self._pending else None
        if oldest is not None and oldest is self._oldest:
            waited = f"{self._patience_s:g} s"
            self._falter(
                self.problem
                or f"The outcome log {self.path} has not been written for {waited}: its disk "
                "does not answer, or another process holds a lock."
            )
        self._oldest = oldest
        self._pulse = loop.call_later(self._patience_s, self._feel_pulse)

    def _settle(self, entries: list[Entry], error: StoreError | None) -> None:
        self._settled += len(entries)
        for _ in range(min(len(entries), len(self._pending))):
            self._pending.popleft()
        if error is not None:
            self._fail(entries, error)
            return
        for future, _ in entries:
            if not future.done():  # whoever waited may have been cancelled
                future.set_result(None)
        if self.problem is not None:
            self._recovered()

    def _recovered(self) -> None:
        logger.warning("The outcome log %s can be written again.", self.path)
        self.problem = None
        self._held_bytes = 0
        self._write_gap()

    def _fail(self, entries: list[Entry], error: StoreError) -> None:
        why = str(error)
        for future, records in entries:
            if lost := sum(not isinstance(record, Gap) for record in records):
                self._add_gap(lost, why)
            if not future.done():
                if self._serves and self._thread is not None:
                    future.set_result(None)
                else:
                    _give(future, why)

    def _add_gap(self, lost: int, why: str) -> None:
        """Count what is missing, to be written down when that is possible."""
        now = self._clock()
        self.lost += lost
        if lost:
            self.last_error = why
        known = self._gap
        self._gap = Gap(
            known.since if known else now,
            now,
            lost + (known.lost if known else 0),
            known.why if known and known.lost == 0 and not lost else why,
        )
        if self.problem is None:
            self._write_gap()

    def _write_gap(self) -> None:
        gap, loop = self._gap, self._loop
        if gap is None or loop is None:
            return
        self._gap = None
        self._enqueue((loop.create_future(), (gap,)))


def _weight(record: Record) -> int:
    """About how many bytes a record holds on to."""
    if isinstance(record, Decision):
        return RECORD_BYTES + len(record.prompt or "") + len(record.vector or b"")
    return RECORD_BYTES + len((record.response if isinstance(record, Outcome) else record.comment) or "")


def _give(future: Future[None], why: str) -> None:
    future.set_exception(StoreError(why))
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
