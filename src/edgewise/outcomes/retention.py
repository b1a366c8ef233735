"""How long the log remembers: the oldest go first, in steps that never hold the writer up for long."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

DAY_S = 86_400.0
MEGABYTE = 1_000_000
ROWS = 500  # the most in a step: some 10 ms for short prompts
FIRST_ROWS = 16  # before it is known how long they take: long texts are overwritten with zeros
STEP_S = 0.02  # what a step should take; the writer's requests wait meanwhile
WORTH_SHRINKING = 0.1  # of the file
PAGES = 256  # given back to the file system in a step: 1 MB


@dataclass(frozen=True, slots=True)
class Retention:
    """Keep at most `max_age_days` and `max_size_mb` (1 MB = 10^6 bytes); 0 is without limit.

    The newest decision always stays, so that places in the log (`seq`) are never given twice.
    """

    max_age_days: float = 0.0
    max_size_mb: float = 0.0

    def step(self, connection: Connection, now: float, *, rows: int = ROWS) -> int:
        """Delete up to `rows` decisions with all that belongs to them; how many it were.

        `now` is unix seconds. 0 means that there is nothing more to do. One transaction; raises
        sqlite3.Error and leaves everything as it was.
        """
        connection.execute("BEGIN IMMEDIATE")
        try:
            gone = self._outdated(connection, now, rows) or self._too_many(connection, rows)
            strays = self._strays(connection, now, rows)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return gone + strays

    def _outdated(self, connection: Connection, now: float, rows: int) -> int:
        if not self.max_age_days > 0:
            return 0
        return _delete(connection, "at < ? ORDER BY at", (now - self.max_age_days * DAY_S, rows))

    def _too_many(self, connection: Connection, rows: int) -> int:
        if not self.max_size_mb > 0 or used_bytes(connection) <= self.max_size_mb * MEGABYTE:
            return 0
        return _delete(connection, "1 ORDER BY at", (rows,))

    def _strays(self, connection: Connection, now: float, rows: int) -> int:
        """Outcomes and feedback whose decision never came, or went before them."""
        if not self.max_age_days > 0:
            return 0
        limit = now - self.max_age_days * DAY_S
        count = 0
        for table in ("outcomes", "feedback"):
            count += connection.execute(
                f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} "  # noqa: S608 - our own names
                "WHERE seq < (SELECT min(seq) + ? FROM "
                f"{table}) AND at < ? AND decision_id NOT IN (SELECT id FROM decisions))",
                (rows, limit),
            ).rowcount
        return count


@dataclass(slots=True)
class Pace:
    """How many decisions to delete in a step: each is to take some `STEP_S`, however long the texts are."""

    rows: int = FIRST_ROWS
    clock: Callable[[], float] = monotonic

    def step(self, rules: Retention, connection: Connection, now: float) -> int:
        """One step of `rules`; how many records are gone. Fewer rows next time where it took too long."""
        began = self.clock()
        gone = rules.step(connection, now, rows=self.rows)
        took = self.clock() - began
        if took > STEP_S:
            self.rows = max(1, int(self.rows * max(0.1, STEP_S / took)))
        elif took < STEP_S / 4:
            self.rows = min(ROWS, self.rows * 2)
        return gone


def used_bytes(connection: Connection) -> int:
    """What the records take up: the file without its free pages."""
    pages, free = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
    return (pages - free) * _pragma(connection, "page_size")


def is_worth_shrinking(connection: Connection) -> bool:
    """Whether much of the file is free: a little is taken up again by what comes next."""
    pages, free = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
    return free > max(PAGES, pages * WORTH_SHRINKING)


def shrink(connection: Connection, *, pages: int = PAGES) -> bool:
    """Give up to so many free pages back to the file system; whether there are more."""
    connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
    return _pragma(connection, "freelist_count") > 0


def tidy(
    connection: Connection, rules: Retention, now: float, *, rest: Callable[[], None] = lambda: None
) -> int:
    """Forget all that `rules` say and give back every free page; how many records were forgotten.

    Done in short transactions with a `rest` between them, so that a gateway can go on writing.
    """
    gone, pace = 0, Pace()
    while step := pace.step(rules, connection, now):
        gone += step
        rest()
    left = None
    while (free := _pragma(connection, "freelist_count")) and free != left:  # a foreign file may not shrink
        shrink(connection)
        left = free
        rest()
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return gone


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _delete(connection: Connection, which: str, values: tuple[float, ...]) -> int:
    # The text of what is deleted must not live on in free pages; only deletions pay for that.
    connection.execute("PRAGMA secure_delete = ON")
    try:
        ids = connection.execute(
            "SELECT id FROM decisions WHERE seq < (SELECT max(seq) FROM decisions) "  # noqa: S608 - our own words
            f"AND {which} LIMIT ?",
            values,
        ).fetchall()
        for table, column in (("outcomes", "decision_id"), ("feedback", "decision_id"), ("decisions", "id")):
            connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", ids)  # noqa: S608 - the same
    finally:
        connection.execute("PRAGMA secure_delete = OFF")
    return len(ids)
