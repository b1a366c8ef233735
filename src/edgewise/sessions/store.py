"""Conversations on disk: one SQLite file in the state folder."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from edgewise.domain.errors import RequestError, StoreError, UnknownModel
from edgewise.domain.privacy import LOCAL
from edgewise.sessions.marks import Marks
from edgewise.sessions.records import Message, Session, checked_id, checked_title, new_id, stricter
from edgewise.sessions.schema import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path
    from sqlite3 import Connection

FILE = "sessions.sqlite"
LAST = "last"
AFTER_ANY = "\x7f"  # sorts behind every character of an id
UNTITLED = "Untitled"
SESSIONS = (
    "SELECT s.id, s.title, s.created_at, s.updated_at, m.privacy, m.candidate, "
    "(SELECT count(*) FROM messages WHERE session = s.id) "
    "FROM sessions AS s LEFT JOIN marks AS m ON m.session = s.id"
)
MESSAGES = "SELECT id, role, content, at, extras, metadata FROM messages WHERE session = ? ORDER BY seq"
ADD = "INSERT INTO messages (session, id, role, content, at, extras, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)"
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Filters(TypedDict, total=False):
    """What a session must be; an absent filter lets everything through.

    `title` is a part of it in any case of letters, `candidate` one that answered a message of it, `after`
    and `until` bound `updated_at` in unix seconds.
    """

    title: str | None
    candidate: str | None
    after: float | None
    until: float | None
    local: bool | None


CONDITIONS = {
    "title": "instr(folded(s.title), folded(?)) > 0",
    "candidate": "EXISTS (SELECT 1 FROM messages AS g WHERE g.session = s.id"
    " AND json_extract(g.metadata, '$.candidate') = ?)",
    "after": "s.updated_at > ?",
    "until": "s.updated_at <= ?",
    "local": "(coalesce(m.privacy, '') = 'local') = ?",
}


class SessionStore:
    """The sessions at `path`, opened at the first question; any thread may ask.

    Methods that take a session's id raise `RequestError` for what is no id and `UnknownModel` (404) where
    there is no such session; all raise `StoreError` where the file cannot be used. `marks` is what the
    router remembers of sessions; it outlives the conversations.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = RLock()
        self._connection: Connection | None = None
        self.marks = Marks(self.writing, clock)

    def create(self, title: str = UNTITLED, *, local: bool = False) -> Session:
        """A new session without messages."""
        now = self._clock()
        privacy = LOCAL if local else None
        return self.put(Session(id=new_id(), title=title, created_at=now, updated_at=now, privacy=privacy))

    def put(self, session: Session) -> Session:
        """Keep a session that was made elsewhere. Raises `RequestError` where its id is taken.

        What was promised to that id before still holds.
        """
        identity, title = checked_id(session.id), checked_title(session.title)
        if identity == LAST:  # or whoever means this one would show, or delete, another
            raise RequestError(
                f"'{LAST}' means the latest session and is no id; give it another.", param="session"
            )
        with self.writing() as connection:
            if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (identity,)).fetchone():
                raise RequestError(f"There is already a session '{identity}'.", param="session")
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)",
                (identity, title, session.created_at, session.updated_at),
            )
            _append(connection, identity, session.messages)
            if session.privacy is not None:
                self.marks.promise(identity, session.privacy)
            if session.candidate is not None:
                self.marks.answered({identity: session.candidate})
        return self.show(identity)

    def put_all(self, sessions: Iterable[Session]) -> list[Session]:
        """Keep them all, or none where one of them cannot be."""
        with self.writing():
            return [self.put(session) for session in sessions]

    def latest(self, limit: int | None = None, **filters: Unpack[Filters]) -> list[Session]:
        """The sessions that pass the filters, the latest first, without their messages."""
        kept = {name: value for name, value in filters.items() if value is not None}
        where = " AND ".join(["1", *(CONDITIONS[name] for name in kept)])
        order = "ORDER BY s.updated_at DESC, s.id LIMIT ?"
        with self.writing() as connection:
            rows = connection.execute(
                f"{SESSIONS} WHERE {where} {order}", (*kept.values(), -1 if limit is None else limit)
            )
            return [_session(row) for row in rows]

    def show(self, which: str) -> Session:
        """A session with its messages: by its id, by a beginning that only one id has, or "last"."""
        with self.writing() as connection:
            found = self._find(connection, which)
            messages = tuple(_message(row) for row in connection.execute(MESSAGES, (found.id,)))
        return replace(found, messages=messages)

    def append(self, identity: str, *messages: Message) -> None:
        """Add messages at the end, together. One without an id gets one."""
        with self.writing() as connection:
            found = self._find(connection, identity)
            _append(connection, found.id, messages)
            self._touch(connection, found.id)

    def rename(self, which: str, title: str) -> Session:
        """Give a session another title."""
        with self.writing() as connection:
            found = self._find(connection, which)
            connection.execute("UPDATE sessions SET title = ? WHERE id = ?", (checked_title(title), found.id))
            self._touch(connection, found.id)
        return self.show(found.id)

    def copy(self, which: str, title: str | None = None) -> Session:
        """A second session with the same messages and the same promise."""
        with self.writing():  # what is promised meanwhile holds for the copy too
            found = self.show(which)
            return self._new_of([found], title or f"Copy of {found.title}")

    def merge(self, which: Sequence[str], title: str | None = None) -> Session:
        """A new session with the messages of several, one after the other, held to the promises of all."""
        with self.writing():
            found = [self.show(one) for one in which]
            if len({session.id for session in found}) < max(2, len(found)):
                raise RequestError("Merging takes at least two different sessions.", param="session")
            return self._new_of(found, title or " + ".join(session.title for session in found))

    def delete(self, which: str) -> Session:
        """Forget a conversation. What was promised is not forgotten: its id may still be in use."""
        with self.writing() as connection:
            found = self._find(connection, which)
            connection.execute("DELETE FROM sessions WHERE id = ?", (found.id,))
        return found

    def make_local(self, which: str) -> Session:
        """Promise that nothing of this session leaves the machine from now on. It cannot be taken back."""
        with self.writing() as connection:
            found = self._find(connection, which)
            self.marks.promise(found.id, LOCAL)
        return replace(found, privacy=LOCAL)

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _new_of(self, parts: Sequence[Session], title: str) -> Session:
        now = self._clock()
        messages = tuple(replace(message, id="") for part in parts for message in part.messages)
        return self.put(
            Session(
                id=new_id(),
                title=title,
                created_at=now,
                updated_at=now,
                privacy=stricter(*(part.privacy for part in parts)),
                candidate=parts[-1].candidate,
                messages=messages,
            )
        )

    def _find(self, connection: Connection, which: str) -> Session:
        if which == LAST:
            rows = connection.execute(f"{SESSIONS} ORDER BY s.updated_at DESC, s.id LIMIT 1").fetchall()
        else:
            checked_id(which)
            rows = connection.execute(
                f"{SESSIONS} WHERE s.id >= ? AND s.id < ? ORDER BY s.id LIMIT 2", (which, which + AFTER_ANY)
            ).fetchall()
        if not rows:
            said = "There is no session yet." if which == LAST else f"There is no session '{which}'."
            raise UnknownModel(said, param="session", code="session_not_found")
        if len(rows) > 1 and rows[0][0] != which:
            raise RequestError(
                f"More than one session's id begins with '{which}'; give more of it.", param="session"
            )
        return _session(rows[0])

    def _touch(self, connection: Connection, identity: str) -> None:
        connection.execute("UPDATE sessions SET updated_at = ? WHERE id = ?", (self._clock(), identity))

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One transaction; inside another one it is part of that. Raises `StoreError`."""
        with self._lock:
            connection = self._connection
            if connection is None:
                connection = self._connection = connect(self.path)
                connection.create_function("folded", 1, str.casefold, deterministic=True)
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except (sqlite3.Error, UnicodeEncodeError) as error:
                _undo(connection)
                raise StoreError(f"The sessions' file {self.path} cannot be used: {error}.") from error
            except BaseException:
                _undo(connection)
                raise


def _undo(connection: Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _append(connection: Connection, session: str, messages: Iterable[Message]) -> None:
    taken = {row[0] for row in connection.execute("SELECT id FROM messages WHERE session = ?", (session,))}
    rows: list[tuple[Any, ...]] = []
    for message in messages:
        identity = message.id if message.id and message.id not in taken else f"msg_{len(taken) + 1}"
        while identity in taken:
            identity += "_"
        taken.add(identity)
        content, extras, metadata = (
            _encode(value).decode() for value in (message.content, message.extras, message.metadata)
        )
        rows.append((session, identity, message.role, content, message.at, extras, metadata))
    connection.executemany(ADD, rows)


def _session(row: Sequence[Any]) -> Session:
    identity, title, created_at, updated_at, privacy, candidate, count = row
    return Session(
        id=identity,
        title=title,
        created_at=created_at,
        updated_at=updated_at,
        privacy=privacy,
        candidate=candidate,
        count=count,
    )


def _message(row: Sequence[Any]) -> Message:
    identity, role, content, at, extras, metadata = row
    return Message(
        id=identity,
        role=role,
        content=_decode(content),
        at=at,
        extras=_decode(extras),
        metadata=_decode(metadata),
    )
