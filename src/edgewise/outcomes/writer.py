"""The one thread that writes: all that has gathered since its last commit goes into the next."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING, Any

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import StoreError
from edgewise.outcomes.retention import is_worth_shrinking, shrink
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

    from edgewise.domain.decisions import Record
    from edgewise.outcomes.retention import Retention

    Entry = tuple[Any, tuple[Record, ...]]  # a ticket that only the caller understands, and what to write
    Settle = Callable[[list[Entry], StoreError | None], None]

MOST_ENTRIES = 2_000  # in one commit
ROWS_A_STATEMENT = 32  # one step: the interpreter lock is let go and fought for once
PAUSE_S = 0.004  # between the beginnings of two commits
IDLE_S = 1.0  # quiet for so long: time to empty the write-ahead log
HOUSEKEEPING_S = 60.0
SHARE_OF_TIME = 0.1  # what housekeeping may take while there is much of it
TABLES = (
    ("decisions", DECISION_COLUMNS),
    ("outcomes", OUTCOME_COLUMNS),
    ("feedback", FEEDBACK_COLUMNS),
)


class Writer:
    """Writes entries from `queue` until it finds None there. Runs in a thread of its own.

    After each commit `settle` gets the entries, with the error if they could not be written. Under load,
    commits begin at least `PAUSE_S` apart: few large ones cost less than many small ones.
    """

    def __init__(
        self,
        path: Path,
        queue: SimpleQueue[Entry | None],
        settle: Settle,
        *,
        retention: Retention,
        clock: Callable[[], float],
    ) -> None:
        self.queue = queue
        self._path = path
        self._settle = settle
        self._retention = retention
        self._clock = clock
        self._housekeeping_at = 0.0
        self._dirty = False

    def run(self, connection: Connection) -> None:
        """Write until told to stop, then close the connection."""
        try:
            while self._turn(connection):
                pass
        finally:
            connection.close()

    def _turn(self, connection: Connection) -> bool:
        """One commit, or some housekeeping; False at the end."""
        if time.monotonic() >= self._housekeeping_at:
            self._keep_house(connection)
        entries, more = self._gather()
        if entries:
            began = time.monotonic()
            self._write(connection, entries)
            self._dirty = True
            crowded = len(entries) > 1 or self.queue.qsize() > 0
            if more and crowded and (rest := began + PAUSE_S - time.monotonic()) > 0:
                time.sleep(rest)
        elif self._dirty:
            with suppress(sqlite3.Error):  # SQLite tries again by itself when the log has grown
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._dirty = False
        return more

    def _gather(self) -> tuple[list[Entry], bool]:
        """Wait for an entry and take all others that are there. False: the queue has ended."""
        patience = IDLE_S if self._dirty else max(0.0, self._housekeeping_at - time.monotonic())
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

    def _write(self, connection: Connection, entries: list[Entry]) -> None:
        """Commit the entries in one transaction; if the database refuses, they fail together."""
        try:
            write(connection, entries)
        except sqlite3.OperationalError as error:  # locked for too long, full, gone
            self._settle(entries, self._failed(error))
        except Exception:  # noqa: BLE001 - one entry does not fit; the others must not suffer for it
            for entry in entries:
                self._write_alone(connection, entry)
        else:
            self._settle(entries, None)

    def _write_alone(self, connection: Connection, entry: Entry) -> None:
        try:
            write(connection, [entry], _without_surrogates)
        except Exception as error:  # noqa: BLE001 - whatever a record holds, the writer lives on
            self._settle([entry], self._failed(error))
        else:
            self._settle([entry], None)

    def _failed(self, error: Exception) -> StoreError:
        failure = StoreError(f"The outcome log {self._path} cannot be written: {error}.")
        failure.__cause__ = error
        return failure

    def _keep_house(self, connection: Connection) -> None:
        """One bounded step of forgetting; soon again if there is more to forget."""
        began = time.monotonic()
        more = False
        with suppress(sqlite3.Error):  # locked or full: the next turn comes
            more = self._retention.step(connection, self._clock()) > 0
            if not more and is_worth_shrinking(connection):
                more = shrink(connection)
        now = time.monotonic()
        self._housekeeping_at = now + ((now - began) / SHARE_OF_TIME if more else HOUSEKEEPING_S)


def write(
    connection: Connection, entries: Sequence[Entry], mended: Callable[[Any], Any] | None = None
) -> None:
    """Commit the records of all entries in one transaction, or raise and commit none.

    `mended` is applied to each value on its way.
    """
    decisions: list[Any] = []
    outcomes: list[Any] = []
    feedback: list[Any] = []
    for _, records in entries:
        for record in records:
            if isinstance(record, Decision):
                decisions += decision_row(record)
            elif isinstance(record, Outcome):
                outcomes += outcome_row(record)
            else:
                feedback += feedback_row(record)
    connection.execute("BEGIN IMMEDIATE")  # waits while another process writes
    try:
        for (table, columns), values in zip(TABLES, (decisions, outcomes, feedback), strict=True):
            if values:
                _insert(connection, table, columns, values if mended is None else [*map(mended, values)])
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise


def _insert(connection: Connection, table: str, columns: tuple[str, ...], values: Sequence[Any]) -> None:
    width = len(columns) * ROWS_A_STATEMENT
    for start in range(0, len(values), width):
        chunk = values[start : start + width]
        connection.execute(insert(table, columns, len(chunk) // len(columns)), chunk)


def _without_surrogates(value: Any) -> Any:
    """Halves of characters, as a terminal can hand them over, fit into no UTF-8: question marks instead."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
