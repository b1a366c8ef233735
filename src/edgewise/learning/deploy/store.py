"""The versions that were ever deployed, each a copy of its own, and the steps between them."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.errors import BundleError
from edgewise.learning.deploy.state import Entry, State, Trial, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Literal

    from edgewise.policies.bundles.manifest import Manifest

STATE = "deployed.json"
MANIFEST = "policy.json"


def loaded(folder: Path) -> Manifest:
    """The manifest of a bundle that loads; raises `BundleError` where it does not."""
    from edgewise.policies.bundles import Bundle  # noqa: PLC0415 - numpy is an extra

    return Bundle.load(folder).manifest


class Store:
    """Bundles under `root`: one folder a version (`v1`, `v2`, …) and `deployed.json`.

    `check` reads a folder's bundle and gives its manifest back, or raises `BundleError`.
    """

    def __init__(
        self,
        root: Path,
        *,
        check: Callable[[Path], Manifest] = loaded,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.root, self._check, self._now = root, check, now

    @property
    def path(self) -> Path:
        """Where the state stands."""
        return self.root / STATE

    def state(self) -> State:
        """What is deployed; raises `BundleError` where the file is damaged."""
        return read_state(self.path)

    def folder(self, version: str) -> Path:
        """Where that version's copy lies."""
        return self.root / version

    def promote(self, source: Path) -> Entry:
        """Put the bundle in `source` in charge; a trial ends.

        Raises `BundleError`; nothing is changed then.
        """
        with self._locked() as state:
            version, manifest = self._kept(source)
            promoted = state.promoted if state.current == version else (*state.promoted, version)
            entry = Entry(version, self._now(), "full", 1.0, str(source.absolute()), manifest.version)
            self._write(state, entry, current=version, trial=None, promoted=promoted)
        return entry

    def attempt(
        self, source: Path, mode: Literal["shadow", "canary"], share: float, *, ask: bool = False
    ) -> Entry:
        """Try the bundle in `source` beside what is in charge; replaces a trial that is under way.

        `ask`: what a shadow would choose is asked, too. Raises `BundleError`; nothing is changed then.
        """
        if not 0.0 < share <= 1.0:
            raise BundleError(f"The share of a {mode} lies above 0 and at most at 1, found {share:g}.")
        if ask and mode != "shadow":
            raise BundleError("A canary's choices are asked anyway; only a shadow can be told to ask.")
        with self._locked() as state:
            manifest = self._check(source)
            self._check_rival(state, manifest)
            version, manifest = self._kept(source)
            if version == state.current:
                raise BundleError(f"{source} is in charge already ({version}); there is nothing to try.")
            at = self._now()
            entry = Entry(version, at, mode, share, str(source.absolute()), manifest.version, ask)
            self._write(state, entry, trial=Trial(version, mode, share, at, ask))
        return entry

    def rollback(self) -> Entry:
        """Undo the latest step: end a trial, or put the version before in charge again.

        Before the first stands no bundle. Raises `BundleError` where there is nothing to undo, or where the
        version before is damaged; nothing is changed then.
        """
        with self._locked() as state:
            if state.trial is None and state.current is None:
                raise BundleError("Nothing is deployed; there is nothing to roll back.")
            promoted = state.promoted if state.trial is not None else state.promoted[:-1]
            version = promoted[-1] if promoted else None
            bundle = self._check(self.folder(version)).version if version is not None else None
            entry = Entry(version, self._now(), "rollback", 1.0, None, bundle)
            self._write(state, entry, current=version, trial=None, promoted=promoted)
        return entry

    def _write(self, state: State, entry: Entry, **changes: object) -> None:
        write_state(self.path, replace(state, history=(*state.history, entry), **changes))

    def _check_rival(self, state: State, manifest: Manifest) -> None:
        """Both sides of a trial read one description of the prompt."""
        if state.current is None:
            return
        features = self._check(self.folder(state.current)).features
        if features != manifest.features:
            raise BundleError(
                f"The bundle reads the features '{manifest.features}', the one in charge '{features}'; a "
                "trial needs both alike. Train it with the same --features, or deploy it without a trial."
            )

    def _kept(self, source: Path) -> tuple[str, Manifest]:
        """The version that holds the bundle: the one that has it already, or a new copy."""
        manifest = self._check(source)
        written = (source / MANIFEST).read_bytes()
        taken = {path.name for path in self.root.iterdir()}
        for version in sorted(taken, key=_number):
            kept = self.root / version / MANIFEST
            if _number(version) and kept.is_file() and kept.read_bytes() == written and self._sound(version):
                return version, manifest
        version = f"v{max(map(_number, taken), default=0) + 1}"
        self._copy(source, manifest, version)
        return version, manifest

    def _copy(self, source: Path, manifest: Manifest, version: str) -> None:
        """Copy aside, check the copy, and only then give it its name."""
        aside = Path(mkdtemp(prefix=".incoming-", dir=self.root))
        try:
            for name in (MANIFEST, *manifest.files):
                shutil.copyfile(source / name, aside / name)
            self._check(aside)
            aside.rename(self.root / version)
        except OSError as error:
            raise BundleError(f"{source} cannot be copied to {self.root} ({error.strerror}).") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _sound(self, version: str) -> bool:
        try:
            self._check(self.folder(version))
        except BundleError:
            return False
        return True

    @contextmanager
    def _locked(self) -> Generator[State]:
        """The state, while no other process changes it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / ".lock").open("a") as lock:
                if sys.platform != "win32":
                    import fcntl  # noqa: PLC0415 - not on every platform

                    fcntl.flock(lock, fcntl.LOCK_EX)
                yield self.state()
        except OSError as error:
            raise BundleError(f"{self.root} cannot be written ({error.strerror}).") from error


def _number(version: str) -> int:
    """3 of `v3`; 0 of what is no version's name."""
    return int(version[1:]) if version[:1] == "v" and version[1:].isdecimal() else 0
