"""The file: its tables, its versions, and how it is opened for writing."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from secrets import token_bytes
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from sqlite3 import Connection
    from typing import Literal

    Migration = Callable[[Connection], None]
    Synchronous = Literal["NORMAL", "FULL"]

APPLICATION_ID = 0x45444745  # "EDGE": `file outcomes.sqlite` tells it apart, and so do we
BUSY_S = 30.0
WAL_PAGES = 4000  # 16 MB: pages that change in every commit then reach the file once in thousands of them
WAL_BYTES = 64 * 1024 * 1024
VERSION_1 = (
    # `seq` is the order of commits. `details` is JSON: every field of the record that is no column.
    """CREATE TABLE decisions (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, chosen TEXT NOT NULL,
        location TEXT NOT NULL, policy TEXT NOT NULL, reason TEXT NOT NULL, propensity REAL, session TEXT,
        prompt TEXT, details TEXT NOT NULL)""",
    "CREATE INDEX decisions_at ON decisions (at)",
    """CREATE TABLE outcomes (
        seq INTEGER PRIMARY KEY, decision_id TEXT NOT NULL UNIQUE, at REAL NOT NULL, status TEXT NOT NULL,
        candidate TEXT NOT NULL, latency_s REAL, ttft_s REAL, input_tokens INTEGER, output_tokens INTEGER,
        cost_usd REAL, cost_state TEXT, response TEXT, details TEXT NOT NULL)""",
    """CREATE TABLE feedback (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, decision_id TEXT NOT NULL, at REAL NOT NULL,
        quality REAL, rating REAL, thumbs TEXT, comment TEXT, source TEXT)""",
    "CREATE INDEX feedback_decision ON feedback (decision_id)",
    # Nearly every outcome has one attempt; a table of its own would cost each of them one more page a commit.
    """CREATE VIEW attempts AS
        SELECT o.decision_id, a.key AS n, o.at,
            json_extract(a.value, '$.candidate') AS candidate, json_extract(a.value, '$.status') AS status,
            json_extract(a.value, '$.started_s') AS started_s,
            json_extract(a.value, '$.latency_s') AS latency_s, json_extract(a.value, '$.ttft_s') AS ttft_s,
            json_extract(a.value, '$.http_status') AS http_status,
            json_extract(a.value, '$.error') AS error,
            json_extract(a.value, '$.input_tokens') AS input_tokens,
            json_extract(a.value, '$.output_tokens') AS output_tokens,
            json_extract(a.value, '$.cost_usd') AS cost_usd,
            json_extract(a.value, '$.cost_state') AS cost_state
        FROM outcomes AS o, json_each(o.details, '$.attempts') AS a""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
)


def _create(connection: Connection) -> None:
    for statement in VERSION_1:
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('salt', ?)", (token_bytes(32),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _more_feedback(connection: Connection) -> None:
    for column in ("edit_distance REAL", "correction INTEGER", "abandoned_s REAL", "success REAL"):
        connection.execute(f"ALTER TABLE feedback ADD COLUMN {column}")


def _energy(connection: Connection) -> None:
    connection.execute("ALTER TABLE outcomes ADD COLUMN energy_j REAL")


# The n-th function takes a file from version n - 1 to n. Only ever add to the end.
MIGRATIONS: tuple[Migration, ...] = (_create, _more_feedback, _energy)


def connect(
    path: Path,
    *,
    synchronous: Synchronous = "NORMAL",
    busy_s: float = BUSY_S,
    migrations: Sequence[Migration] = MIGRATIONS,
    salt: bytes = b"",
) -> Connection:
    """Open the log for writing, from any one thread at a time: make it, or bring it to the newest version.

    A log that is made gets `salt`, or one of its own. Raises StoreError where the file is no log, comes from
    a newer Edgewise, or cannot be opened.
    """

    def begin() -> Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create_private(path)
        return sqlite3.connect(
            path, timeout=busy_s, isolation_level=None, cached_statements=256, check_same_thread=False
        )

    deadline = time.monotonic() + busy_s

    def prepare(connection: Connection) -> None:
        if _prepare(connection, path, synchronous, migrations, deadline) == 0:
            if salt:
                connection.execute("UPDATE meta SET value = ? WHERE key = 'salt'", (salt,))
            # From now on the file itself says whose it is, should its other pages be torn.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    return opened(path, begin, prepare)


def opened(path: Path, begin: Callable[[], Connection], check: Callable[[Connection], object]) -> Connection:
    """The connection that `begin` makes, if `check` lets it pass; otherwise it is closed again.

    Raises StoreError, in one sentence, for whatever SQLite or the system refuses, and what `check` raises.
    """
    connection: Connection | None = None
    try:
        connection = begin()
        check(connection)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error | OSError):
            raise StoreError(cannot_open(path, error)) from error
        raise
    return connection


def check_version(connection: Connection, path: Path, newest: int) -> int:
    """The file's version. Raises StoreError where the file is no log of ours or newer than `newest`."""
    tables, application, version = connection.execute(  # in one look: another process may just be making it
        "SELECT count(*), (SELECT application_id FROM pragma_application_id), "
        "(SELECT user_version FROM pragma_user_version) FROM sqlite_master"
    ).fetchone()
    if application != APPLICATION_ID and tables:
        raise StoreError(
            f"{path} is a database of another program; move it away, or name another file in [store] path."
        )
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer Edgewise (version {version} of the log, this one knows up to "
            f"{newest}); upgrade Edgewise, or name another file in [store] path."
        )
    return int(version)


def cannot_open(path: Path, error: Exception) -> str:
    """One sentence for a file that SQLite or the system refuses."""
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return (
            f"{path} is no outcome log (it is no SQLite file); move it away, or name another in [store] path."
        )
    if path.is_dir():
        return f"{path} is a folder; [store] path names a file."
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return f"The outcome log {path} cannot be opened ({reason}); check its folder's permissions and space."


def _create_private(path: Path) -> None:
    """The log holds what people asked, so only its owner may read it; WAL and index inherit the mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare(
    connection: Connection,
    path: Path,
    synchronous: Synchronous,
    migrations: Sequence[Migration],
    deadline: float,
) -> int:
    """The version that the file had before: 0 where it was only just made."""
    check_version(connection, path, len(migrations))
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only an empty file takes it
    _to_wal(connection, deadline)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    connection.execute("BEGIN IMMEDIATE")  # of two processes that open it at once, one migrates
    try:
        version = check_version(connection, path, len(migrations))
        for migrate in migrations[version:]:
            migrate(connection)
        if version < len(migrations):
            connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return version


def _to_wal(connection: Connection, deadline: float) -> None:
    """SQLite does not wait for a lock while it changes the journal mode, so we do."""
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise sqlite3.OperationalError("its file system cannot hold a write-ahead log")
        return
