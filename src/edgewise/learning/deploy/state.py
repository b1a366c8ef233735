"""`deployed.json`: which bundle is in charge, which one is on trial, and how it came to that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from edgewise.domain.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
Mode = Literal["full", "shadow", "canary", "rollback"]


class Trial(Struct, frozen=True):
    """A bundle that is watched (`shadow`) or decides for a share of the sessions (`canary`) since `since`.

    `ask`: what a shadow would choose is asked, too.
    """

    version: str
    mode: Literal["shadow", "canary"]
    share: float
    since: float
    ask: bool = False


class Entry(Struct, frozen=True):
    """One step: to which version, when (unix seconds), from which folder, how, and for which share.

    `version` is None where a rollback left no bundle in charge. `bundle` is the bundle's own version.
    """

    version: str | None
    at: float
    mode: Mode
    share: float = 1.0
    source: str | None = None
    bundle: str | None = None
    ask: bool = False


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `promoted` are the versions that were put in charge and not undone, the latest last."""

    schema: int = SCHEMA
    current: str | None = None
    trial: Trial | None = None
    promoted: tuple[str, ...] = ()
    history: tuple[Entry, ...] = ()


def read_state(path: Path) -> State:
    """The state in the file, or the empty one where there is none; raises `BundleError`."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}).") from error
    try:
        state = msgspec.json.decode(raw, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(
            f"{path} is damaged ({error}); restore it, or remove it and deploy again."
        ) from error
    if state.schema != SCHEMA:
        raise BundleError(
            f"{path} has schema {state.schema}, this Edgewise reads {SCHEMA}; upgrade Edgewise."
        )
    return state


def write_state(path: Path, state: State) -> None:
    """Replace the file as a whole: whoever reads meanwhile finds the old one or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
