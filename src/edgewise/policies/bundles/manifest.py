"""`policy.json`: what a bundle is, what it was trained on, how it did on prompts that it had not seen."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from edgewise.domain.candidates import Location
from edgewise.domain.errors import BundleError
from edgewise.policies.objectives import Objective
from edgewise.policies.steering import Target

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "policy.json"
SCHEMA = 1


class BundleCandidate(Struct, frozen=True):
    """A candidate as the training table knew it. `usd` is its mean price a prompt, if known."""

    id: str
    location: Location
    usd: float | None = None


class Training(Struct, frozen=True):
    """What a bundle was trained on: counts, and a fingerprint of prompts and targets.

    `parent` is the version of the bundle that this one adds a candidate to; empty where it was trained anew.
    """

    prompts: int
    rows: int
    fingerprint: str
    notes: tuple[str, ...] = ()
    parent: str = ""


class Head(Struct, frozen=True):
    """One learned quantity: which learner, in which file, and MAE and R² on held-out prompts by candidate."""

    learner: str
    file: str
    metrics: dict[str, dict[str, float | None]] = {}


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole file. `files` holds the SHA-256 of every other file of the bundle.

    `target` is the share or the budget that it was trained to keep to, and is to be kept to while it serves.
    """

    schema: int
    kind: str
    version: str
    objective: Objective
    features: str
    candidates: tuple[BundleCandidate, ...]
    heads: dict[str, Head]
    training: Training
    metrics: dict[str, Any]
    seed: int
    files: dict[str, str]
    target: Target | None = None


def write_manifest(manifest: Manifest) -> bytes:
    """The file's bytes: sorted and indented, the same for the same bundle."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def read_manifest(folder: Path) -> Manifest:
    """Read and check a bundle's manifest and every file's hash; raises `BundleError`."""
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} is no bundle: {MANIFEST} cannot be read ({error.strerror}).") from error
    try:
        schema = msgspec.json.decode(raw, type=dict[str, Any]).get("schema")
        if schema != SCHEMA:
            raise BundleError(f"{path} has schema {schema}, this Edgewise reads {SCHEMA}; train it anew.")
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}.") from error
    for name, expected in manifest.files.items():
        _check(folder, name, expected)
    return manifest


def _check(folder: Path, name: str, expected: str) -> None:
    if "/" in name or "\\" in name or name.startswith("."):
        raise BundleError(f"{folder / MANIFEST} names a file outside the bundle: {name!r}.")
    try:
        found = sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(
            f"{folder / name} cannot be read ({error.strerror}); train or copy anew."
        ) from error
    if found != expected:
        raise BundleError(
            f"{folder / name} is torn or was changed: its SHA-256 is not the one in {MANIFEST}."
        )
