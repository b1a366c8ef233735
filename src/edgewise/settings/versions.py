"""Changes that Edgewise makes to edgewise.toml: each kept, each can be undone."""

from __future__ import annotations

import os
from hashlib import sha256
from time import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.errors import SettingsError
from edgewise.settings.edited import with_values
from edgewise.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edgewise.settings.schema import Settings

INDEX: Final = "changes.json"


class Change(Struct, frozen=True):
    """One change of the file at `at` (unix seconds): `how` says it in words.

    The text before it lies beside the index as `NUMBER.toml`; `after` is the SHA-256 of what was written.
    """

    number: int
    at: float
    how: str
    after: str
    undone_at: float | None = None


class Versions:
    """The changes of `file`, kept in `folder`."""

    def __init__(self, file: Path, folder: Path, *, clock: Callable[[], float] = time) -> None:
        self.file, self._folder, self._clock = file, folder, clock

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first. Raises SettingsError where they cannot be read."""
        try:
            return msgspec.json.decode((self._folder / INDEX).read_bytes(), type=tuple[Change, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self._folder / INDEX} cannot be read: {error}.") from error

    @property
    def latest(self) -> Change | None:
        """The one that `undo` would undo."""
        return next((one for one in reversed(self.changes) if one.undone_at is None), None)

    def apply(self, table: str, values: Mapping[str, Any], how: str) -> Settings:
        """Write `values` into `[table]`, None taking a key away, and give the new, checked settings.

        Raises SettingsError where there is no file, it may not be written, somebody else has just changed it,
        or the new one would be wrong; nothing has then changed.
        """
        before = self._text()
        after = with_values(before, table, values)
        changes = self.changes
        number = len(changes) + 1
        settings = self._checked(after)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"{self._folder} cannot be made ({error.strerror}).") from error
        _write(self._folder / f"{number:04}.toml", before)
        change = Change(number, self._clock(), how, _hash(after))
        _write(self._folder / INDEX, _encoded((*changes, change)))
        try:
            self._replace(before, after)
        except BaseException:
            _write(self._folder / INDEX, _encoded(changes))  # what did not happen is no change
            raise
        return settings

    def undo(self) -> Settings:
        """Put back what was there before the latest change, and give those settings.

        Raises SettingsError where there is nothing to undo, or somebody has changed the file since.
        """
        latest = self.latest
        if latest is None:
            raise SettingsError("There is no change to undo.")
        kept = self._folder / f"{latest.number:04}.toml"
        now = self._text()
        if _hash(now) != latest.after:
            raise SettingsError(
                f"{self.file} was changed by hand since; what stood there before is in {kept}: compare them."
            )
        try:
            before = kept.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{kept}, what stood there before, cannot be read ({error}).") from error
        settings = self._checked(before)
        undone = replace(latest, undone_at=self._clock())
        self._replace(now, before)
        _write(
            self._folder / INDEX,
            _encoded(tuple(undone if c.number == latest.number else c for c in self.changes)),
        )
        return settings

    def _text(self) -> str:
        try:
            return self.file.read_bytes().decode()  # with its line ends as they are
        except FileNotFoundError:
            raise SettingsError(
                f"There is no {self.file} to change; write one that names your candidates, and serve it."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self.file} cannot be read ({error}).") from error

    def _replace(self, known: str, text: str) -> None:
        """Write the file, unless it is not to be written or no longer says what we know."""
        file = self.file.resolve()  # where it is a link, what it points to is meant
        if not file.stat().st_mode & 0o222:
            raise SettingsError(f"{self.file} is read-only; make it writable, or change it by hand.")
        if self._text() != known:
            raise SettingsError(f"{self.file} was changed by somebody else just now; look again.")
        _write(file, text)

    def _checked(self, text: str) -> Settings:
        """The settings that this text would give, in the file's own folder."""
        aside = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        try:
            _write(aside, text)
            return load(aside)
        finally:
            aside.unlink(missing_ok=True)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _encoded(changes: tuple[Change, ...]) -> str:
    return msgspec.json.format(msgspec.json.encode(changes), indent=2).decode() + "\n"


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole, with the rights that it has; a new one is its owner's alone."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    try:
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(mode)  # the umask may have taken some
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise SettingsError(f"{path} cannot be written ({error.strerror}).") from error
