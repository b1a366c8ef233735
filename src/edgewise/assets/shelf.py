"""Model files on disk: which are there, and whether they are right.

A small stamp beside the files remembers size and time of each file whose SHA-256 was once found right, so
that a look costs two `stat` calls instead of hashing a hundred megabytes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from edgewise.assets.catalog import KNOWN, Asset, AssetFile
from edgewise.domain.errors import AssetError
from edgewise.domain.places import home

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "checked.json"


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """Whether a model can be used: `path` is its folder, `problem` one sentence, or None when it is ready."""

    name: str
    ready: bool
    path: Path
    problem: str | None


def known(name: str) -> Asset:
    """The asset of that name; `AssetError` names those that there are."""
    asset = KNOWN.get(name)
    if asset is None:
        raise AssetError(f"There is no model called '{name}'; there are {' and '.join(KNOWN)}.")
    return asset


def folder(name: str, root: Path | None = None) -> Path:
    """Where a model's files lie under the state folder `root` (default: `home()`)."""
    return (home() if root is None else root) / "models" / name


def status(name: str, *, root: Path | None = None, verify: bool = False) -> AssetStatus:
    """Look whether every file is there and right. `verify` hashes them again, whatever the stamp says."""
    asset, place = known(name), folder(name, root)
    for file in asset.files:
        wrong = problem(file, place, verify=verify)
        if wrong is not None:
            return AssetStatus(name, ready=False, path=place, problem=wrong)
    return AssetStatus(name, ready=True, path=place, problem=None)


def path_of(name: str, file: str | None = None, *, root: Path | None = None) -> Path:
    """Where a file of a ready model lies (default: its main file).

    Raises `AssetError` with the command that mends it.
    """
    asset, place = known(name), folder(name, root)
    wanted = asset.files[0] if file is None else asset.file(file)
    if wanted is None:
        names = " and ".join(f.name for f in asset.files)
        raise AssetError(f"{name} has no file '{file}'; it has {names}.")
    wrong = problem(wanted, place)
    if wrong is not None:
        raise AssetError(f"{wrong}; run: edgewise models pull {name}")
    return place / wanted.name


def problem(file: AssetFile, place: Path, *, verify: bool = False) -> str | None:
    """What is wrong with one file in its folder, as a sentence without a full stop, or None."""
    path = place / file.name
    try:
        found = path.stat()
        if found.st_size != file.size:
            return f"{path} is torn: it has {found.st_size} bytes instead of {file.size}"
        if not verify and _stamps(place).get(file.name) == _Stamp(file.sha256, file.size, found.st_mtime_ns):
            return None
        if sha256_of(path) != file.sha256:
            return f"{path} has other bytes than it should (its SHA-256 is wrong)"
    except FileNotFoundError:
        return f"{path} is not there"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    stamp(file, place)
    return None


def stamp(file: AssetFile, place: Path) -> None:
    """Remember that this file's bytes were found right."""
    with suppress(OSError):  # a folder that cannot be written only means hashing again
        checked = _Stamp(file.sha256, file.size, (place / file.name).stat().st_mtime_ns)
        aside = place / f"{STAMP}.new"
        aside.write_bytes(msgspec.json.encode({**_stamps(place), file.name: checked}))
        aside.replace(place / STAMP)


def sha256_of(path: Path) -> str:
    """The hash of a file, read in pieces."""
    import hashlib  # noqa: PLC0415 - a stamp makes hashing rare

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Stamp(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    mtime_ns: int


def _stamps(place: Path) -> dict[str, _Stamp]:
    try:
        return msgspec.json.decode((place / STAMP).read_bytes(), type=dict[str, _Stamp])
    except (OSError, msgspec.DecodeError):
        return {}
