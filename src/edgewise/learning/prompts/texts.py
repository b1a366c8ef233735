"""Files as lines of text, whatever they hold: encodings known by their marks, long lines, damage.

A file is read in pieces, so that its size does not matter. What cannot be read becomes one sentence; bytes
that are no text stay in their line as lone surrogates, so that only that line is lost.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, cast

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

LONGEST_LINE = 4_000_000  # characters; a longer line is no prompt, and would not be read in bounded memory
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
READING = "It must be UTF-8, or UTF-16 with a byte order mark; save it as UTF-8."


@contextmanager
def opened(path: Path) -> Generator[TextIOWrapper]:
    """The text of a file, unpacked where its name ends in `.gz`. Raises `TableError` for what is none."""
    try:
        with _unpacked(path) as file:
            encoding, errors = _encoding(file, path.name)
            with TextIOWrapper(file, encoding, errors, newline="") as text:
                yield text
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path.name} is damaged or no gzip file; pack it again, or unpack it.") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path.name} ends within a character: it was cut off; copy it again.") from error
    except OSError as error:
        raise TableError(f"Cannot read {path}: {error.strerror or error}.") from error


def lines_in(text: TextIOWrapper, name: str) -> Iterator[tuple[int, str | TableError]]:
    """Each line that is not blank with its number; one that is too long is an error in its place."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield number, TableError(f"{name}, line {number} is longer than {LONGEST_LINE:,} characters.")
        elif line.strip():
            yield number, line.rstrip("\r\n")


def problem_of(text: str) -> str | None:
    """Why nobody could answer this text, as the end of a sentence, or None."""
    if not text.strip():
        return "is empty"
    if "\x00" in text:
        return "holds a NUL character, which no model can read"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"is no text in the file's encoding. {READING[:-1]}"
    return None


def _unpacked(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def _encoding(file: IO[bytes], name: str) -> tuple[str, str]:
    """The encoding of a file by its first bytes, which it is set back to, and what stands for bad bytes."""
    begin = file.read(4)
    file.seek(0)
    if begin.startswith(UTF32):
        raise TableError(f"{name} is UTF-32. {READING}")
    if begin.startswith(UTF16):
        return "utf-16", "surrogatepass"
    if begin[1::2] == b"\0\0" or begin[::2] == b"\0\0":
        raise TableError(f"{name} looks like UTF-16 without a byte order mark. {READING}")
    return "utf-8-sig", "surrogateescape"
