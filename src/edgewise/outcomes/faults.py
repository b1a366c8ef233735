"""What went wrong with the file: the disk's passing trouble, a torn file, or a record that does not fit."""

from __future__ import annotations

import errno
import logging
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    Fault = Literal["passing", "torn", "record"]

logger = logging.getLogger(__name__)

PASSING_AT_START = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_IOERR", "SQLITE_FULL"})
TORN = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})
PASSING_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
MAGIC = b"SQLite format 3\x00"
HEADER = 100  # bytes: what SQLite writes in front of every file
APPLICATION_ID_AT = slice(68, 72)
COMPANIONS = ("-wal", "-shm")


def fault_of(error: BaseException) -> Fault:
    """How to take an error of writing: wait for it to pass, begin a new file, or leave the record out."""
    cause = error.__cause__ if isinstance(error, StoreError) and error.__cause__ else error
    if _code(cause) in TORN:
        return "torn"
    passing = isinstance(cause, sqlite3.OperationalError | OSError | MemoryError | StoreError)
    return "passing" if passing else "record"


def may_pass_at_start(error: BaseException) -> bool:
    """Whether a log that cannot be opened may open later: a lock or a full disk, and nobody's mistake."""
    cause = error.__cause__ or error
    if isinstance(cause, OSError):
        return cause.errno in PASSING_ERRNOS
    return isinstance(cause, MemoryError) or _code(cause) in PASSING_AT_START


def is_ours(path: Path, application_id: int) -> bool:
    """Whether a file that SQLite does not read was a log: it bears our mark, or the power took its header."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER)
    except OSError:
        return False
    mark = header[APPLICATION_ID_AT]
    return mark == application_id.to_bytes(4, "big") or (len(header) == HEADER and not any(header))


def set_aside(path: Path) -> Path:
    """Rename a torn log, with all that belongs to it, so that a new one can begin. Raises OSError."""
    torn = path.with_name(f"{path.name}.torn-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    number = 1
    while torn.exists():
        number += 1
        torn = torn.with_name(f"{torn.name.partition('_')[0]}_{number}")
    path.rename(torn)
    for companion in COMPANIONS:
        beside = path.with_name(path.name + companion)
        if beside.exists():
            beside.rename(torn.with_name(torn.name + companion))
    logger.error("The outcome log %s was torn; it was set aside as %s, and a new one begins.", path, torn)
    return torn


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file stands at `path` now; None where there is none, or the system does not say."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_gone(path: Path, identity: tuple[int, int] | None) -> bool:
    """Whether the file that was opened at `path` stands there no longer: deleted, moved away, replaced."""
    if identity is None:
        return False
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it may still be there
        return False
    return (found.st_dev, found.st_ino) != identity


def sweep(path: Path) -> None:
    """Remove what belonged to a log that is there no longer, so that it is not taken for the new one's."""
    if path.exists():
        return
    for companion in COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)


def salt_of(path: Path) -> bytes | None:
    """The salt of a log that can be read though not written, or None."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as log:
            found = log.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()
    except sqlite3.Error:
        return None
    return found[0] if found else None


def _code(error: BaseException) -> str:
    """The primary name of SQLite's result code: SQLITE_IOERR for SQLITE_IOERR_WRITE."""
    name = getattr(error, "sqlite_errorname", None) or ""
    return "_".join(name.split("_")[:2])
