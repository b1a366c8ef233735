"""The sessions' file: its tables, its versions, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from sqlite3 import Connection

    Migration = Callable[[Connection], None]

APPLICATION_ID = 0x45444753  # "EDGS": told apart from the outcome log's "EDGE"
BUSY_S = 10.0
VERSION_1 = (
    # What is promised of a session, by the name that requests give it; outlives the conversation.
    """CREATE TABLE marks (
        session TEXT PRIMARY KEY, privacy TEXT, candidate TEXT, at REAL NOT NULL) WITHOUT ROWID""",
    # Counts the promises that were made: other processes see by it that theirs may have grown old.
    "CREATE TABLE epoch (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL)",
    "INSERT INTO epoch VALUES (1, 0)",
    """CREATE TABLE sessions (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at REAL NOT NULL,
        updated_at REAL NOT NULL) WITHOUT ROWID""",
    # `content`, `extras` and `metadata` are JSON.
    """CREATE TABLE messages (
        seq INTEGER PRIMARY KEY, session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        id TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, at REAL NOT NULL,
        extras TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE (session, id))""",
)


def _create(connection: Connection) -> None:
    for statement in VERSION_1:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


# The n-th function takes a file from version n - 1 to n. Only ever add to the end.
MIGRATIONS: tuple[Migration, ...] = (_create,)


def connect(path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Connection:
    """Open the file, make it, or bring it to the newest version; use it from one thread at a time.

    Raises StoreError where it is no file of ours, comes from a newer Edgewise, or cannot be opened.
    """
    connection: Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # it holds what people said: only its owner may read it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        _prepare(connection, path, migrations)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise StoreError(f"The sessions' file {path} cannot be opened: {why}.") from error
    except StoreError:
        if connection is not None:
            connection.close()
        raise
    return connection


def _prepare(connection: Connection, path: Path, migrations: Sequence[Migration]) -> None:
    _check(connection, path, len(migrations))
    _to_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # few commits, and a promise must outlive a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")  # of two processes that open it at once, one migrates
    try:
        version = _check(connection, path, len(migrations))
        for migrate in migrations[version:]:
            migrate(connection)
        if version < len(migrations):
            connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _check(connection: Connection, path: Path, newest: int) -> int:
    """The file's version. Raises StoreError where it is not ours, or too new."""
    tables, application, version = connection.execute(
        "SELECT count(*), (SELECT application_id FROM pragma_application_id), "
        "(SELECT user_version FROM pragma_user_version) FROM sqlite_master"
    ).fetchone()
    if application != APPLICATION_ID and tables:
        raise StoreError(f"{path} is a database of another program; move it away.")
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer Edgewise (version {version} of the sessions, this one knows up "
            f"to {newest}); upgrade Edgewise."
        )
    return int(version)


def _to_wal(connection: Connection) -> None:
    """SQLite does not wait for a lock while it changes the journal mode, so we do."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
