"""Verdicts on disk, by what was judged, by whom and how: nothing is judged, or paid for, twice."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from hashlib import sha256
from threading import RLock
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

from edgewise.domain.errors import StoreError
from edgewise.learning.judge.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from sqlite3 import Connection

FILE = "judged.sqlite"
BUSY_S = 30.0
SCHEMA = "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, at REAL NOT NULL, said BLOB NOT NULL)"
GET = "SELECT said FROM verdicts WHERE key = ?"
PUT = "INSERT OR REPLACE INTO verdicts (key, at, said) VALUES (?, ?, ?)"


class Bought(Struct, frozen=True, omit_defaults=True):
    """A verdict and what it cost."""

    verdict: Verdict
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


_decode = msgspec.json.Decoder(Bought).decode


def key_of(*parts: str) -> str:
    """One key for a list of texts, whatever they hold."""
    return sha256(msgspec.json.encode([part.encode("utf-8", "surrogatepass") for part in parts])).hexdigest()


class Kept:
    """The verdicts at `path`, opened at the first question; any thread may ask.

    A verdict is on disk when `put` returns (kill -9 loses none). The file holds rationales and no prompts,
    and is its owner's alone. Raises `StoreError` where it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._db: Connection | None = None

    def get(self, key: str) -> Bought | None:
        """The verdict under this key, if there is one."""
        with self._open() as db:
            row = db.execute(GET, (key,)).fetchone()
        try:
            return None if row is None else _decode(row[0])
        except (msgspec.MsgspecError, TypeError):
            return None  # another version wrote it: judged once more, and replaced

    def put(self, key: str, bought: Bought) -> None:
        """Keep a verdict."""
        with self._open() as db:
            db.execute(PUT, (key, time.time(), msgspec.json.encode(bought)))

    def __len__(self) -> int:
        with self._open() as db:
            return int(db.execute("SELECT count(*) FROM verdicts").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _open(self) -> Generator[Connection]:
        with self._lock:
            try:
                if self._db is None:
                    self._db = self._connect()
                yield self._db
            except (sqlite3.Error, OSError) as error:
                raise StoreError(
                    f"The verdicts at {self._path} cannot be used: {error}. "
                    "Move the file away to begin a new one."
                ) from error

    def _connect(self) -> Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(SCHEMA)
        except BaseException:
            db.close()
            raise
        return db
