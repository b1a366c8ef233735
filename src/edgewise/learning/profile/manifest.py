"""What a profile was made with: `profile.json` beside its rows."""

from __future__ import annotations

from importlib.metadata import version
from time import time
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import StoreError, TableError
from edgewise.outcomes.aside import aside
from edgewise.settings.looping import ProfileSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgewise.learning.profile.order import Order

FILE = "profile.json"
LONGEST = 40
SETTLED = ("system", "temperature", "max_tokens", "stream")


class Manifest(Struct, frozen=True, kw_only=True):
    """`settings` are the last run's, `candidates` all that were ever asked; `runs` counts the runs.

    `prompts` is the number of different prompts, `fingerprint` the hash of the file that they stand in.
    """

    edgewise: str
    begun_at: float
    runs: int
    settings: ProfileSettings
    candidates: tuple[Candidate, ...]
    prompts: int
    fingerprint: str


def read_manifest(folder: Path) -> Manifest | None:
    """What a folder was profiled with, None where nothing was. Raises `TableError` for a damaged one."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TableError(f"{folder / FILE} does not say what a profile was made with: {error}.") from None


def continued(folder: Path, settings: ProfileSettings, candidates: Sequence[Candidate]) -> Manifest | None:
    """The manifest that this run goes on from, or `TableError` where its rows would not compare with ours."""
    found = read_manifest(folder)
    if found is None:
        return None
    for name in SETTLED:
        was, wanted = getattr(found.settings, name), getattr(settings, name)
        if was != wanted:
            raise TableError(
                f"{folder} was profiled with {name} = {_shown(was)}, not {_shown(wanted)}; "
                "ask as before, or choose another folder."
            )
    known = {candidate.id: candidate for candidate in found.candidates}
    for candidate in candidates:
        before = known.get(candidate.id, candidate)
        if (before.model, before.location) != (candidate.model, candidate.location):
            raise TableError(
                f"In {folder} {candidate.id} is {before.model} ({before.location}), not {candidate.model} "
                f"({candidate.location}); give it another id, or choose another folder."
            )
    return found


def write_manifest(
    folder: Path,
    before: Manifest | None,
    settings: ProfileSettings,
    candidates: Sequence[Candidate],
    order: Order,
) -> Manifest:
    """Write down what this run is made with, after what `before` says of earlier ones."""
    told = (structs.replace(c, endpoint="") for c in candidates)  # an address may hold a secret
    asked = {c.id: c for c in (*(before.candidates if before else ()), *told)}
    found = Manifest(
        edgewise=version("edgewise"),
        begun_at=before.begun_at if before else time(),
        runs=before.runs + 1 if before else 1,
        settings=settings,
        candidates=tuple(asked.values()),
        prompts=len(order.places),
        fingerprint=order.fingerprint,
    )
    try:
        with aside(str(folder / FILE)) as file:
            file.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    except OSError as error:
        raise StoreError(f"Cannot write {folder / FILE}: {error.strerror or error}.") from error
    return found


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
