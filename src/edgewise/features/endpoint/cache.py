"""Vectors that were fetched already, on disk: one file a model and endpoint, one row a text.

A row is the SHA-256 of a text and its vector, never the text; but a vector can give away what a text was
about, so the file is its owner's alone.
"""

# numpy leaves some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import StoreError
from edgewise.domain.places import home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    T = TypeVar("T")

FOLDER = "vectors"
TABLE = "CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
MOST_ASKED = 500  # keys in one query
WAIT_S = 30.0


class VectorCache:
    """The file of one model at one URL. Made on first use; processes may share it. Raises `StoreError`."""

    def __init__(self, url: str, model: str, *, folder: Path | None = None) -> None:
        name = sha256(f"{url}\n{model}".encode()).hexdigest()[:16]
        self.path = (home() / FOLDER if folder is None else folder) / f"{name}.sqlite"

    def get(self, texts: Sequence[str]) -> dict[str, Floats]:
        """The vectors that are known of these texts."""
        by_key = {_key(text): text for text in texts}
        keys = list(by_key)

        def read(file: sqlite3.Connection) -> dict[str, Floats]:
            found: dict[str, Floats] = {}
            for start in range(0, len(keys), MOST_ASKED):
                part = keys[start : start + MOST_ASKED]
                marks = ",".join("?" * len(part))
                rows = file.execute(f"SELECT text, vector FROM vectors WHERE text IN ({marks})", part)  # noqa: S608 - marks
                found |= {by_key[key]: np.frombuffer(raw, np.float32) for key, raw in rows}
            return found

        return self._with(read)

    def put(self, vectors: Mapping[str, Floats]) -> None:
        """Keep the vectors of these texts."""
        rows = [(_key(text), np.asarray(vector, np.float32).tobytes()) for text, vector in vectors.items()]
        self._with(lambda file: file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows))

    def clear(self) -> None:
        """Forget everything."""
        self._with(lambda file: file.execute("DELETE FROM vectors"))

    def _with(self, use: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as file, file:
                file.execute(TABLE)
                return use(file)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The fetched vectors in {self.path} cannot be used ({error}); delete that file."
            ) from error


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
