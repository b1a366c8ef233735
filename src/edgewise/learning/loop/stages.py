"""Work in stages: one is done again only where what it began with, or what it made, has changed."""

from __future__ import annotations

from hashlib import file_digest, sha256
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from edgewise.domain.errors import StoreError, TableError
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

STATE = "learn.json"


class Stage(Struct, frozen=True):
    """A stage that has ended: the hash of what it began with, those of what it made, when, and how long."""

    inputs: str
    outputs: dict[str, str]
    ended_at: float
    took_s: float


class State(Struct, frozen=True):
    """`learn.json`. `verdict` is what the last stage found."""

    stages: dict[str, Stage] = {}
    verdict: dict[str, Any] | None = None


class Stages:
    """The stages of one folder.

    Raises `TableError` for a damaged state, `StoreError` where it cannot be kept.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self._say = folder, say
        self.state = self._read()

    def run(
        self,
        name: str,
        inputs: Sequence[object],
        outputs: Sequence[str],
        work: Callable[[], bool],
        *,
        anew: bool = False,
    ) -> bool:
        """Do a stage, unless it was done with these inputs and what it made is still there; whether it ended.

        `outputs` are files or folders, relative to the folder; `work` says whether it came to its end. With
        `anew` it is done whatever was done before.
        """
        begun = sha256(msgspec.json.encode(inputs)).hexdigest()
        before = self.state.stages.get(name)
        known = None if anew or before is None or before.inputs != begun else before.outputs
        if known is not None and known == self._digests(outputs):
            self._say(f"{name}: done before")
            return True
        self._say(f"{name} …")
        start = perf_counter()
        if not work():
            return False
        ended = Stage(begun, self._digests(outputs), time(), round(perf_counter() - start, 3))
        self._write(structs.replace(self.state, stages={**self.state.stages, name: ended}))
        return True

    def conclude(self, verdict: Struct) -> None:
        """Keep what was found."""
        self._write(structs.replace(self.state, verdict=msgspec.to_builtins(verdict)))

    def _digests(self, outputs: Sequence[str]) -> dict[str, str]:
        return {name: digest_of(self.folder / name) for name in outputs}

    def _read(self) -> State:
        try:
            return msgspec.json.decode((self.folder / STATE).read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except NotADirectoryError:
            raise StoreError(f"{self.folder} is a file; the loop needs a folder.") from None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise TableError(
                f"{self.folder / STATE} is damaged ({error}); delete it to begin anew."
            ) from None

    def _write(self, state: State) -> None:
        self.state = state
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with aside(str(self.folder / STATE)) as file:
                file.write(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        except OSError as error:
            raise StoreError(f"Cannot write {self.folder / STATE}: {error.strerror or error}.") from error


def digest_of(path: Path) -> str:
    """The hash of a file, or of all files in a folder with their names; empty where there is nothing."""
    if path.is_file():
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    digest = sha256()
    for each in sorted(each for each in path.rglob("*") if each.is_file()):
        digest.update(f"{each.relative_to(path)}:{digest_of(each)}\n".encode())
    return digest.hexdigest() if path.is_dir() else ""
