"""A file that is whole or not there: written aside, and renamed at its end."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from errno import ENOLCK, ENOSYS, ENOTSUP
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Generator

STDOUT = "-"
UNKNOWN = (ENOLCK, ENOSYS, ENOTSUP)  # what file systems say that know no locks
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


def hold(file: int, what: Path, doing: str = "filled") -> None:
    """Keep other processes from `what` for as long as this open file is. Raises `StoreError`.

    Where no such thing is known (Windows, some network drives) nobody is kept from it.
    """
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 - not on every platform

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(
            f"{what} is being {doing} by another process; wait for it, or choose another name."
        ) from None
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
