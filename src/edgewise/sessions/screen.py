"""What a session promised and who answered it last, put into each of its requests."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import StoreError
from edgewise.domain.privacy import LOCAL, promise_of
from edgewise.sessions.records import Mark, stricter
from edgewise.sessions.trim import trimmable

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from sqlite3 import Connection

    from edgewise.domain.decisions import Record
    from edgewise.domain.requests import Request
    from edgewise.sessions.store import SessionStore

logger = logging.getLogger(__name__)
MOST = 10_000
FLUSH_S = 1.0
EPOCH = "SELECT n FROM epoch"
UNKNOWN = -1
HELD = Mark(LOCAL)


class SessionScreen:
    """A `Screen`: what was once declared or found local stays local; `previous` is who answered last.

    The promise is on disk before the request that made it goes on, and holds for every process that uses
    the same file. Where it cannot be read, the session counts as local; where it cannot be written, the
    request fails with `StoreError`. The last candidate is written within a second, and may be lost.

    `observe` takes every record of the log. `trim` trims the conversations of all sessions, also where the
    request does not ask for it. `most` bounds what is kept in memory.
    """

    def __init__(self, store: SessionStore, *, trim: bool = False, most: int = MOST) -> None:
        self._store, self._trim, self._most = store, trim, most
        self._marks: OrderedDict[str, Mark] = OrderedDict()
        self._pending: dict[str, str] = {}
        self._unwritten: dict[str, str | None] = {}
        self._epoch = UNKNOWN
        self._watch: Connection | None = None
        self._flush: TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, "edgewise-sessions")

    async def screen(self, request: Request) -> Request:
        """The request as its session binds it. 6 µs for a session that is known already."""
        session = request.wishes.session
        if request.trim or (self._trim and session is not None and request.trim is None):
            request = trimmable(request)
        if session is None:
            return request
        said = promise_of(request)
        mark = self._marks.get(session) if self._is_fresh() else None
        if mark is None:
            mark = await self._first_seen(session, said)
        privacy = mark.privacy
        if said is not None and said != privacy:
            privacy = stricter(privacy, said)
            if privacy != mark.privacy:
                await self._promise(session, said)
        if privacy != request.wishes.privacy:
            request = replace(request, wishes=replace(request.wishes, privacy=privacy))
        if mark.candidate is None:
            return request
        return replace(request, previous=mark.candidate)

    def observe(self, record: Record) -> None:
        """Note who answers: an answer counts, a failure ends what bound the session to the candidate."""
        if isinstance(record, Decision):
            if record.session is not None:
                if len(self._pending) >= self._most:
                    del self._pending[next(iter(self._pending))]
                self._pending[record.id] = record.session
        elif isinstance(record, Outcome):
            session = self._pending.pop(record.decision_id, None)
            if session is not None and record.candidate:
                self._answered(session, record.candidate, failed=record.status == "error")

    async def aclose(self) -> None:
        """Write what is not written yet, and let go of the file."""
        if self._flush is not None:
            self._flush.cancel()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._write_answered)
        self._thread.shutdown()
        if self._watch is not None:
            self._watch.close()
        self._store.close()

    def _is_fresh(self) -> bool:
        """Whether no promise was made elsewhere since the last look; otherwise all marks are read anew."""
        if self._watch is None:
            return True
        try:
            (epoch,) = self._watch.execute(EPOCH).fetchone()
        except sqlite3.Error:
            epoch = UNKNOWN
        if epoch != self._epoch:
            self._epoch = epoch
            self._marks.clear()
        return bool(epoch != UNKNOWN)

    async def _first_seen(self, session: str, said: str | None) -> Mark:
        epoch = self._epoch
        try:
            mark = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, session)
        except StoreError as error:
            if said is not None:  # a promise that cannot be kept is not made
                raise
            logger.warning("A session is held to be local: %s", error)
            return HELD
        known = self._marks.get(session, Mark())  # what was learned meanwhile
        mark = Mark(stricter(mark.privacy, known.privacy), known.candidate or mark.candidate)
        return self._remember(session, mark) if epoch == self._epoch else mark

    def _read(self, session: str) -> Mark:
        """In the thread: what is on disk, and what is not there yet."""
        mark = self._store.marks.read(session)
        if self._watch is None:
            self._watch = watching(self._store)
        return replace(mark, candidate=self._unwritten.get(session, mark.candidate))

    async def _promise(self, session: str, said: str) -> None:
        self._remember(
            session, self._marks.get(session, Mark()).promising(said)
        )  # before more of it comes in
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._thread, self._store.marks.promise, session, said))

    def _answered(self, session: str, candidate: str, *, failed: bool) -> None:
        known = self._marks.get(session, Mark())
        now = candidate if not failed else None if known.candidate == candidate else known.candidate
        if known.candidate == now:
            return
        if session in self._marks:
            self._remember(session, Mark(known.privacy, now))
        self._unwritten[session] = now
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(FLUSH_S, self._thread.submit, self._write_answered)

    def _write_answered(self) -> None:
        """In the thread: one commit for all sessions that were answered by somebody else than before."""
        self._flush = None
        unwritten = dict(self._unwritten)
        if not unwritten:
            return
        try:
            self._store.marks.answered(unwritten)
        except StoreError as error:
            logger.warning("Who answered %d sessions last is not written: %s", len(unwritten), error)
        for session, candidate in unwritten.items():
            if self._unwritten.get(session, "") == candidate:
                del self._unwritten[session]

    def _remember(self, session: str, mark: Mark) -> Mark:
        self._marks[session] = mark
        self._marks.move_to_end(session)
        while len(self._marks) > self._most:
            self._marks.popitem(last=False)
        return mark


def watching(store: SessionStore) -> Connection:
    """A second look into the file, that waits for nobody."""
    uri = f"{store.path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=0.0, isolation_level=None, check_same_thread=False)
