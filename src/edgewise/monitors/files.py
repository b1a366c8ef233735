"""Small files of the kernel, read whole: numbers and words, or None where they cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def text_of(path: Path) -> str | None:
    """The file's text without the blanks around it, or None: absent, forbidden, or the device said no."""
    try:
        return path.read_bytes().decode("ascii", "replace").strip()
    except (OSError, ValueError):  # ValueError: a path that no system takes
        return None


def number_of(path: Path) -> float | None:
    """The one number in the file, or None."""
    return as_number(text_of(path))


def as_number(text: str | None) -> float | None:
    """The decimal number that `text` is, or None. What only Python takes for a number (nan, 1_0) is none."""
    if text is None or not text.removeprefix("-").replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return float(text)


def field_of(text: str | None, key: str) -> float | None:
    """The number after `key` on a line of its own, as in `memory.stat`."""
    for line in (text or "").splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return as_number(value.strip())
    return None


def entries(folder: Path, pattern: str = "*") -> list[Path]:
    """What lies in the folder, by name; nothing where there is no such folder."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
