"""A file that is whole or not there: written aside, and renamed at its end."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

STDOUT = "-"
STDOUTS = (STDOUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")  # whatever it is, nobody may rename it


@contextmanager
def aside(target: str) -> Generator[IO[bytes]]:
    """A binary file that becomes `target` when the block ends well, and leaves nothing behind otherwise.

    Standard output, a pipe or a device is written to directly. Raises OSError.
    """
    if target in STDOUTS:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.exists() and not path.is_file():  # a pipe or a device; a folder complains by itself
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()  # where it is a link, what it points to is replaced
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
