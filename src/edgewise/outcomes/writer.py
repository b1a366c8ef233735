"""The one thread that writes: all that has gathered since its last commit goes into the next."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from itertools import dropwhile
from queue import Empty
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Protocol

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import StoreError
from edgewise.outcomes.faults import fault_of, identity_of, is_gone, set_aside, sweep
from edgewise.outcomes.gaps import Gap, add_gap
from edgewise.outcomes.house import House
from edgewise.outcomes.rows import (
    DECISION_COLUMNS,
    FEEDBACK_COLUMNS,
    OUTCOME_COLUMNS,
    decision_row,
    feedback_row,
    insert,
    outcome_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from queue import SimpleQueue
    from sqlite3 import Connection
    from threading import Event

    from edgewise.domain.decisions import Record
    from edgewise.outcomes.retention import Retention

    Entry = tuple[Any, tuple[Record | Gap, ...]]  # a ticket for the caller alone, and what to write

MOST_ENTRIES = 2_000  # in one commit
ROWS_A_STATEMENT = 32  # one step: the interpreter lock is let go and fought for once
PAUSE_S = 0.004  # between the beginnings of two commits
IDLE_S = 1.0  # quiet for so long: time to empty the write-ahead log
RETRY_S = 0.25  # between two tries while the disk is in trouble
PROBE_BYTES = 8192  # more than a page: a full disk has no room for it
HELD = """SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM outcomes)
    + (SELECT count(*) FROM feedback)"""
TABLES = (
    ("decisions", DECISION_COLUMNS),
    ("outcomes", OUTCOME_COLUMNS),
    ("feedback", FEEDBACK_COLUMNS),
)


class Outlet(Protocol):
    """Who hands the entries in, and hears in the writer's thread what became of them."""

    def settle(self, entries: list[Entry], error: StoreError | None) -> None:
        """The entries are written, or failed for good; without an error, the disk is well."""

    def falter(self, error: StoreError) -> None:
        """The disk is in trouble."""

    def torn(self, aside: Path) -> None:
        """The file was torn and now lies `aside`."""

    def gone(self, records: int) -> None:
        """The file was deleted or moved away, with so many records in it; a new one begins."""


class Writer:
    """Writes entries from `queue` until it finds None there. Runs in a thread of its own.

    After each commit `outlet.settle` gets the entries, with the error if they could not be written. Under
    load, commits begin at least `PAUSE_S` apart: few large ones cost less than many small ones.

    While the disk is in trouble, `outlet.falter` hears why, and nothing more is taken from the queue. With
    `holds` the entries at hand are kept and tried again, and a torn file is set aside for a new one; without
    it they fail. Once `ending` is set, they get one last chance. A file that somebody deleted or moved away
    is noticed before anything is acknowledged that went into it: a new one gets it, too.
    """

    def __init__(  # noqa: PLR0913 - what it needs from the log that it writes for
        self,
        path: Path,
        queue: SimpleQueue[Entry | None],
        outlet: Outlet,
        *,
        connect: Callable[[], Connection],
        retention: Retention,
        clock: Callable[[], float],
        ending: Event,
        holds: bool = False,
    ) -> None:
        self.queue = queue
        self._path = path
        self._outlet = outlet
        self._connect = connect
        self._house = House(retention, clock)
        self._ending, self._holds = ending, holds
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._held: list[Entry] = []
        self._faltering = False
        self._dirty = False

    def run(self, connection: Connection | None) -> None:
        """Write until told to stop, then close the connection; without one, open it when that is possible."""
        self._connection, self._faltering = connection, connection is None
        self._file = identity_of(self._path)
        try:
            while self._turn():
                pass
        finally:
            self._let_go()

    def _turn(self) -> bool:
        """One commit, or some housekeeping; False at the end."""
        if self._faltering:
            return self._try_again()
        if self._connection is not None:
            self._house.keep(self._connection)
        entries, more = self._gather()
        if entries:
            began = time.monotonic()
            self._write(entries)
            self._dirty = True
            crowded = len(entries) > 1 or self.queue.qsize() > 0
            if more and crowded and (rest := began + PAUSE_S - time.monotonic()) > 0:
                time.sleep(rest)
        elif self._dirty and self._connection is not None:
            with suppress(sqlite3.Error):  # SQLite tries again by itself when the log has grown
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._dirty = False
        if not entries and is_gone(self._path, self._file):
            self._write([])
        return more or self._faltering

    def _try_again(self) -> bool:
        """After a rest: what is held, or whether anything can be written. False: it is all over."""
        ended = self._ending.wait(RETRY_S)
        held, self._held = self._held, []
        self._faltering = False
        self._write(held)
        if self._faltering and ended:
            if self._held:
                self._outlet.settle(self._held, StoreError(f"The outcome log {self._path} was closed."))
            return False
        return True

    def _gather(self) -> tuple[list[Entry], bool]:
        """Wait for an entry and take all others that are there. False: the queue has ended."""
        patience = IDLE_S if self._dirty else self._house.leisure_s
        entries: list[Entry] = []
        try:
            entry = self.queue.get(timeout=patience)
            for _ in range(min(self.queue.qsize(), MOST_ENTRIES)):
                if entry is None:
                    break
                entries.append(entry)
                entry = self.queue.get_nowait()
        except Empty:
            return entries, True
        if entry is None:
            return entries, False
        entries.append(entry)
        return entries, True

    def _write(self, entries: list[Entry]) -> None:
        """Commit the entries in one transaction; with none, find out whether anything can be written."""
        try:
            self._put(entries)
            if is_gone(self._path, self._file):
                self._begin_again(entries)
                self._put(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is, the writer lives on
            self._failed(entries, error)
        else:
            self._outlet.settle(entries, None)

    def _put(self, entries: list[Entry]) -> None:
        if entries:
            write(self._open(), entries)
        else:
            probe(self._open())

    def _begin_again(self, entries: list[Entry]) -> None:
        """The file is gone, though we still write to it: count what goes with it, and let a new one begin."""
        held = 0
        with suppress(sqlite3.Error):
            held = int(self._open().execute(HELD).fetchone()[0])
        self._let_go()
        sweep(self._path)
        self._outlet.gone(max(0, held - sum(len(records) for _, records in entries)))

    def _failed(self, entries: list[Entry], error: Exception) -> None:
        """Sort out whether the disk, the file or one of the entries is to blame."""
        fault = fault_of(error)
        if fault == "record" and entries:  # the others must not suffer for it
            left = list(dropwhile(self._write_alone, entries))
            if left:
                self._held, self._faltering = left, True
            return
        failure = self._failure(error)
        if fault == "torn" and self._holds:
            self._begin_anew()
        self._faltering = True
        self._outlet.falter(failure)  # first: who hears of a failure may append the next record at once
        if self._holds:
            self._let_go()
            self._held = entries
        elif entries:
            self._outlet.settle(entries, failure)

    def _write_alone(self, entry: Entry) -> bool:
        """Whether that entry is done with, written or not; False: it is to be tried again."""
        try:
            write(self._open(), [entry], _without_surrogates)
        except Exception as error:  # noqa: BLE001 - whatever a record holds, the writer lives on
            if self._holds and fault_of(error) != "record":
                self._outlet.falter(self._failure(error))
                return False
            self._outlet.settle([entry], self._failure(error))
        else:
            self._outlet.settle([entry], None)
        return True

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._file = identity_of(self._path)
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _begin_anew(self) -> None:
        """Put a torn file aside; the next turn makes a new one."""
        self._let_go()
        with suppress(OSError):  # the next turn tries again
            self._outlet.torn(set_aside(self._path))

    def _failure(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        failure = StoreError(f"The outcome log {self._path} cannot be written: {error}.")
        failure.__cause__ = error
        return failure


def write(
    connection: Connection, entries: Sequence[Entry], mended: Callable[[Any], Any] | None = None
) -> None:
    """Commit the records of all entries in one transaction, or raise and commit none.

    `mended` is applied to each value on its way.
    """
    decisions: list[Any] = []
    outcomes: list[Any] = []
    feedback: list[Any] = []
    gaps: list[Gap] = []
    for _, records in entries:
        for record in records:
            if isinstance(record, Decision):
                decisions += decision_row(record)
            elif isinstance(record, Outcome):
                outcomes += outcome_row(record)
            elif isinstance(record, Gap):
                gaps.append(record)
            else:
                feedback += feedback_row(record)
    connection.execute("BEGIN IMMEDIATE")  # waits while another process writes
    try:
        for (table, columns), values in zip(TABLES, (decisions, outcomes, feedback), strict=True):
            if values:
                _insert(connection, table, columns, values if mended is None else [*map(mended, values)])
        for gap in gaps:
            add_gap(connection, gap)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise


def probe(connection: Connection) -> None:
    """Write a few bytes that say nothing, to find out whether that is possible. Raises sqlite3.Error."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", (token_bytes(PROBE_BYTES),))


def _insert(connection: Connection, table: str, columns: tuple[str, ...], values: Sequence[Any]) -> None:
    width = len(columns) * ROWS_A_STATEMENT
    for start in range(0, len(values), width):
        chunk = values[start : start + width]
        connection.execute(insert(table, columns, len(chunk) // len(columns)), chunk)


def _without_surrogates(value: Any) -> Any:
    """Halves of characters, as a terminal can hand them over, fit into no UTF-8: question marks instead."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
