"""Read-only access to the outcome log, from any thread of any process, while a gateway writes."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from hashlib import sha256
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from edgewise.domain.errors import StoreError, UnknownModel
from edgewise.domain.ids import shadow_id
from edgewise.domain.stories import Story
from edgewise.outcomes.booking import Booked, Travelled, booked, spent_by_key, travelled
from edgewise.outcomes.comparing import compared, place_at
from edgewise.outcomes.counting import PLACES, Counted, counted
from edgewise.outcomes.faults import identity_of
from edgewise.outcomes.foreseen import Foreseen, foreseen
from edgewise.outcomes.gaps import SELECT_GAPS, gaps_of
from edgewise.outcomes.lessons import Labelled, Tried, labelled, tried
from edgewise.outcomes.listing import listed
from edgewise.outcomes.placing import DISORDER_S, first_after
from edgewise.outcomes.rows import (
    DECISION_COLUMNS,
    FEEDBACK_COLUMNS,
    OUTCOME_COLUMNS,
    decision_of,
    feedback_of,
    outcome_of,
)
from edgewise.outcomes.schema import BUSY_S, MIGRATIONS, check_version, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from sqlite3 import Connection

    from edgewise.domain.candidates import Location
    from edgewise.domain.decisions import CostState, Decision, OutcomeStatus, Reason
    from edgewise.outcomes.comparing import Compared, Place
    from edgewise.outcomes.gaps import Gap
    from edgewise.outcomes.listing import Listing

PAGE = 200
LAST = "last"
SHADOW = "(d.reason = 'shadow')"
AFTER_ANY = "\U0010ffff"  # sorts behind every character of an id
STORIES = (
    "SELECT d.seq, "  # noqa: S608 - our own names
    + ", ".join(f"d.{name}" for name in DECISION_COLUMNS)
    + ", "
    + ", ".join(f"o.{name}" for name in OUTCOME_COLUMNS)
    + " FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision_id = d.id"
)
FEEDBACK = f"SELECT {', '.join(FEEDBACK_COLUMNS)} FROM feedback WHERE decision_id = ? ORDER BY seq"  # noqa: S608
SPENT = """SELECT candidate, cost_state, sum(cost_usd), count(*) FROM outcomes
    WHERE seq >= ?2 AND at >= ?1 AND candidate != '' GROUP BY candidate, cost_state
    ORDER BY candidate, cost_state"""
SPENT_BY_KEY = (
    "SELECT o.candidate, o.cost_state, sum(o.cost_usd), count(*) FROM outcomes AS o "
    "JOIN decisions AS d ON d.id = o.decision_id "
    "WHERE o.seq >= ?2 AND o.at >= ?1 AND json_extract(d.details, '$.key') = ?3 "
    "AND json_extract(d.details, '$.shadow_of') IS NULL AND o.candidate != '' "
    "GROUP BY o.candidate, o.cost_state ORDER BY o.candidate, o.cost_state"
)


class Filters(TypedDict, total=False):
    """What a decision must have been; an absent filter lets everything through.

    `candidate` and `location` are the chosen ones, `after` and `until` bound `at` in unix seconds, `status`
    is the outcome's. `text` stands in the prompt, where that was kept; capitals of ASCII do not count.
    """

    candidate: str
    location: Location
    policy: str
    reason: Reason
    session: str
    status: OutcomeStatus
    after: float
    until: float
    text: str


CONDITIONS = {
    "candidate": "d.chosen = ?",
    "location": "d.location = ?",
    "policy": "d.policy = ?",
    "reason": "d.reason = ?",
    "session": "d.session = ?",
    "status": "o.status = ?",
    "after": "d.at > ?",
    "until": "d.at <= ?",
    "text": "d.prompt LIKE ? ESCAPE '\\'",
}


class LogReader:
    """The log at `path` as stories. Opened at the first question; `close` lets go of the file.

    Every method raises StoreError where there is no log or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None

    def decision(self, which: str) -> Story | None:
        """The story of one decision: by its id, by a beginning that only one id has, or "last".

        A shadow's own record, whose id begins as the one that it stands beside, is only meant where no other
        fits. Raises StoreError for a beginning that several ids have.
        """
        if which == LAST:
            return next(iter(self._stories(f"NOT {SHADOW}", (), "ORDER BY d.seq DESC LIMIT 1")), None)
        exact = self._stories("d.id = ?", (which,), "LIMIT 1")
        if exact:
            return exact[0]
        if not which:
            return None
        fitting = self._stories(
            "d.id >= ? AND d.id < ?", (which, which + AFTER_ANY), f"ORDER BY {SHADOW} LIMIT 2"
        )
        if len(fitting) > 1 and _is_shadow(fitting[0]) == _is_shadow(fitting[1]):
            raise StoreError(f"More than one decision's id begins with '{which}'; give more of it.")
        return fitting[0] if fitting else None

    def latest(
        self,
        limit: int = 50,
        before: str | None = None,
        most_bytes: float = inf,
        **filters: Unpack[Filters],
    ) -> list[Story]:
        """The newest `limit` stories, newest first; with `before`, an id, those that were logged before it.

        Fewer where their texts are longer than `most_bytes` together, but never none because of that.
        Raises UnknownModel (404) where there is no decision of that id.
        """
        where, values = _where(filters)
        if before is not None:
            place = self._rows("SELECT seq FROM decisions WHERE id = ?", (before,))
            if not place:
                raise UnknownModel(
                    f"There is no decision {before[:100]!r} in the log.",
                    param="before",
                    code="decision_not_found",
                )
            where, values = f"{where} AND d.seq < ?", [*values, place[0][0]]
        return self._stories(where, (*values, limit), "ORDER BY d.seq DESC LIMIT ?", most_bytes)

    def listed(
        self, limit: int = 50, below: int | None = None, most_s: float = inf, **filters: Unpack[Filters]
    ) -> Listing:
        """The newest decisions before place `below`, as lists show them; a search ends after `most_s`."""
        where, values = _where(filters)
        return listed(self._rows, where, values, limit=limit, below=below, most_s=most_s)

    def since(self, seq: int, limit: int = PAGE, **filters: Unpack[Filters]) -> list[Story]:
        """Up to `limit` stories that were logged after place `seq`, oldest first; 0 is the beginning."""
        where, values = _where(filters)
        return self._stories(f"{where} AND d.seq > ?", (*values, seq, limit), "ORDER BY d.seq LIMIT ?")

    def stories(self, **filters: Unpack[Filters]) -> Iterator[Story]:
        """All stories, oldest first, in bounded memory. What is logged meanwhile comes along."""
        seq = 0
        while page := self.since(seq, **filters):
            yield from page
            seq = page[-1].seq

    def spent(self, after: float, *, key: str | None = None) -> list[tuple[str, CostState, float, int]]:
        """What outcomes since `after` (unix seconds) cost: a candidate, a state, USD, and how many calls.

        With `key` only what clients with the key of that name were answered, and no shadows.
        """
        since = (after, first_after(self._rows, "outcomes", after - DISORDER_S))
        rows = self._rows(SPENT, since) if key is None else self._rows(SPENT_BY_KEY, (*since, key))
        return [(name, state, float(usd or 0.0), int(calls)) for name, state, usd, calls in rows]

    def counted(self, after: float, until: float, width_s: float) -> Counted:
        """What was logged after `after`, up to `until` (unix seconds), in buckets of `width_s` seconds."""
        return counted(self._rows, after, until, width_s)

    def compared(self, place: Place, most: int) -> tuple[list[Compared], list[Compared], Place]:
        """Answers, and feedback on them, since `place`, at most so many of each; and how far that is."""
        return compared(self._rows, place, most)

    def place_at(self, at: float) -> Place:
        """The place in the log from which on everything is later than `at` (unix seconds)."""
        return place_at(self._rows, at)

    def booked(self, most: int) -> list[Booked]:
        """The latest `most` outcomes by who answered and what is known of their cost."""
        return booked(self._rows, most)

    def spent_by_key(self, after: float) -> dict[str, float]:
        """What each key's requests since `after` (unix seconds) cost, in USD."""
        return spent_by_key(self._rows, after)

    def travelled(self, most: int) -> list[Travelled]:
        """The latest `most` decisions and whom their texts reached, newest first."""
        return travelled(self._rows, most)

    def joules(self, after: float) -> float:
        """What outcomes since `after` (unix seconds) took in energy, where that is known."""
        first = first_after(self._rows, "outcomes", after - DISORDER_S)
        question = "SELECT total(energy_j) FROM outcomes WHERE seq >= ? AND at >= ?"
        return float(self._rows(question, (first, after))[0][0])

    def foreseen(self, most: int) -> list[Foreseen]:
        """Of the latest `most` decisions those that could have gone otherwise and rest on forecasts."""
        return foreseen(self._rows, most)

    def labelled(self, most: int) -> list[Labelled]:
        """The latest `most` pieces of feedback by who gave them and whose answers they are on."""
        return labelled(self._rows, most)

    def tried(self, most: int) -> list[Tried]:
        """The latest `most` decisions by whom they chose, and how often chance did."""
        return tried(self._rows, most)

    def locations(self) -> dict[str, Location]:
        """Where the candidates of the latest decisions are."""
        return dict(self._rows(PLACES))

    def gaps(self) -> list[Gap]:
        """The times of which records are missing, oldest first."""
        return gaps_of(self._rows(SELECT_GAPS))

    def identity(self) -> str:
        """What tells this log from another, as long as it is carried on; empty where there is none."""
        found = self._rows("SELECT value FROM meta WHERE key = 'salt'")
        return sha256(found[0][0]).hexdigest()[:16] if found else ""

    def count(self) -> int:
        """How many decisions there are."""
        return int(self._rows("SELECT count(*) FROM decisions")[0][0])

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _stories(
        self, where: str, values: tuple[Any, ...], rest: str, most_bytes: float = inf
    ) -> list[Story]:
        rows = self._rows(f"{STORIES} WHERE {where} {rest}", values, most_bytes)
        return [self._story(row) for row in rows]

    def _story(self, row: tuple[Any, ...]) -> Story:
        end = 1 + len(DECISION_COLUMNS)
        decision = decision_of(row[1:end])
        return Story(
            decision=decision,
            outcome=None if row[end] is None else outcome_of(row[end:]),
            feedback=tuple(feedback_of(said) for said in self._rows(FEEDBACK, (decision.id,))),
            shadow=self._shadow(decision),
            seq=row[0],
        )

    def _shadow(self, decision: Decision) -> Story | None:
        """What the shadow answered, where it was asked."""
        if decision.shadow is None or not decision.shadow.ask:
            return None
        return next(iter(self._stories("d.id = ?", (shadow_id(decision.id),), "LIMIT 1")), None)

    def _rows(
        self, statement: str, values: tuple[Any, ...] = (), most_bytes: float = inf
    ) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                if (identity := identity_of(self.path)) != self._identity:
                    self._let_go()  # a torn log was set aside, or one deleted, and a new one begun
                if self._connection is None:
                    self._connection, self._identity = _open(self.path), identity
                cursor = self._connection.execute(statement, values)
                return cursor.fetchall() if most_bytes == inf else _within(cursor, most_bytes)
            except sqlite3.Error as error:
                raise StoreError(f"The outcome log {self.path} cannot be read: {error}.") from error


def _within(cursor: sqlite3.Cursor, most_bytes: float) -> list[tuple[Any, ...]]:
    """Rows until their texts have that many characters or bytes; always the first one."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    with closing(cursor):
        for row in cursor:
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if rows and size > most_bytes:
                break
            rows.append(row)
    return rows


def _is_shadow(story: Story) -> bool:
    return story.decision.shadow_of is not None


def _where(filters: Filters) -> tuple[str, list[Any]]:
    kept = {name: value for name, value in filters.items() if value is not None}
    if "text" in kept:
        kept["text"] = f"%{_literal(str(kept['text']))}%"
    return " AND ".join(["1", *(CONDITIONS[name] for name in kept)]), list(kept.values())


def _literal(text: str) -> str:
    """A text as a pattern that fits nothing else."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _open(path: Path) -> Connection:
    if not path.exists():
        raise StoreError(f"There is no outcome log at {path} yet; the gateway makes it when it first starts.")

    def begin() -> Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )

    return opened(path, begin, lambda connection: _check(connection, path))


def _check(connection: Connection, path: Path) -> None:
    newest = len(MIGRATIONS)
    version = check_version(connection, path, newest)
    if version < newest:
        found = f"an outcome log of version {version}" if version else "empty"
        raise StoreError(f"{path} is {found}; start the gateway once to bring it to version {newest}.")
