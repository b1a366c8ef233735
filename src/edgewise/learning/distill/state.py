"""What is done already: stages on disk, each with the fingerprint of what went into it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STATE = "stage.json"


class Finished(Struct, frozen=True):
    """One stage that ended: what went in, which files came out (SHA-256), and what was found on the way."""

    key: str
    files: dict[str, str]
    facts: dict[str, Any]


def stage(
    folder: Path,
    given: Any,
    work: Callable[[Path], dict[str, Any]],
    say: Callable[[str], None],
) -> Finished:
    """Run `work(folder)` unless it ended before with the same `given`, its files untouched since.

    `given` is plain data: whatever changes the outcome, such as options and the keys of stages before.
    A stage that was interrupted runs again from its beginning.
    """
    key = sha256(msgspec.json.encode(given, order="sorted")).hexdigest()
    found = _finished(folder)
    if found is not None and found.key == key and _whole(folder, found):
        say(f"{folder.name}: done before, kept.")
        return found
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STATE).unlink(missing_ok=True)
    facts = work(folder)
    files = {path.name: _hash(path) for path in sorted(folder.iterdir()) if path.is_file()}
    done = Finished(key, files, facts)
    aside = folder / f".{STATE}"
    aside.write_bytes(msgspec.json.encode(done))
    aside.replace(folder / STATE)
    return done


def finished(folder: Path) -> dict[str, Any]:
    """What was found on the way of a stage that ended; nothing where it did not."""
    found = _finished(folder)
    return {} if found is None else found.facts


def _finished(folder: Path) -> Finished | None:
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=Finished)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _whole(folder: Path, found: Finished) -> bool:
    try:
        return all(_hash(folder / name) == expected for name, expected in found.files.items())
    except OSError:
        return False


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
