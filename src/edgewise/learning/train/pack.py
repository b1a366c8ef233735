"""Heads → the files of a bundle, byte for byte the same for the same training."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load, save

from edgewise.domain.errors import BundleError
from edgewise.learning.tables.sketches import pooled, sketch
from edgewise.policies.bundles.bundle import Bundle, assembled
from edgewise.policies.bundles.manifest import (
    MANIFEST,
    SCHEMA,
    BundleCandidate,
    Head,
    Manifest,
    Training,
    write_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable
    from edgewise.monitors.drift.reference import Reference
    from edgewise.policies.objectives import Objective
    from edgewise.policies.steering import Target

REST = "rest.safetensors"


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle's files by name, the manifest apart."""

    manifest: Manifest
    files: dict[str, bytes]

    def bundle(self) -> Bundle:
        """The same, in memory, as it will be read from disk."""
        return assembled(self.manifest, {name: load(raw) for name, raw in self.files.items()})


def pack(  # noqa: PLR0913 - one argument for each part of the manifest
    table: OutcomeTable,
    objective: Objective,
    features: str,
    learner: str,
    seed: int,
    *,
    heads: dict[str, tuple[dict[str, Any] | str, str, dict[str, dict[str, float | None]]]],
    spread: dict[str, tuple[Any, Any]],
    offsets: NDArray[np.float32],
    gains: NDArray[np.float32],
    target: Target,
    margin: NDArray[np.float32],
    metrics: dict[str, Any],
    fingerprint: str,
    notes: list[str],
    sketched: bool,
    reference: Reference,
) -> Packed:
    """Lay the parts out as files. A head whose arrays are another head's name shares that one's file.

    `sketched` puts sketches of the prompts in, by which an evaluation finds near-duplicates; `reference` is
    what they look like, by which a gateway sees that others have come.
    """
    files: dict[str, bytes] = {}
    described: dict[str, Head] = {}
    for number, (name, (arrays, how, found)) in enumerate(heads.items()):
        if isinstance(arrays, str):
            described[name] = Head(how, described[arrays].file, found)
            continue
        file = f"{name.partition(':')[0]}-{number}.safetensors"
        files[file] = save({key: np.array(value, order="C") for key, value in arrays.items()})
        described[name] = Head(how, file, found)
    rest: dict[str, Any] = {"offsets": offsets, "margin": margin, "gains": gains, "keys": keys_of(table)}
    for name, (edges, half) in spread.items():
        rest |= {f"spread/{name}/edges": edges, f"spread/{name}/half": half}
    if sketched:
        rest["sketches"] = pooled(sketch(table.prompts, table.keys))
    files[REST] = save({**rest, **reference.arrays()})
    hashes, version = hashes_and_version(files, (fingerprint, objective, features, learner, seed, target))
    manifest = Manifest(
        schema=SCHEMA,
        kind="learned",
        version=version,
        objective=objective,
        features=features,
        candidates=_candidates(table),
        heads=described,
        training=Training(len(table), int(table.repeats.sum()), fingerprint, tuple(notes)),
        metrics=metrics,
        seed=seed,
        files=hashes,
        target=None if target.goal is None else target,
    )
    return Packed(manifest, files)


def hashes_and_version(files: dict[str, bytes], about: tuple[object, ...]) -> tuple[dict[str, str], str]:
    """The SHA-256 of each file, and a short hash of them all and of what they are `about`."""
    hashes = {name: sha256(raw).hexdigest() for name, raw in files.items()}
    return hashes, sha256(repr((*about, sorted(hashes.items()))).encode()).hexdigest()[:12]


def write_bundle(packed: Packed, folder: Path) -> None:
    """Write aside, then rename: a reader sees the old bundle or the new one, never half of one."""
    if (
        folder.exists()
        and not (folder / MANIFEST).exists()
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise BundleError(f"{folder} exists and is no bundle; choose another place with -o.")
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, raw in packed.files.items():
            (aside / name).write_bytes(raw)
        (aside / MANIFEST).write_bytes(write_manifest(packed.manifest))
        if folder.exists():
            before = folder.with_name(f".{folder.name}.before")
            shutil.rmtree(before, ignore_errors=True)
            folder.rename(before)
            aside.rename(folder)
            shutil.rmtree(before, ignore_errors=True)
        else:
            aside.rename(folder)
    except OSError as error:
        raise BundleError(f"The bundle cannot be written to {folder}: {error.strerror}.") from error


def keys_of(table: OutcomeTable) -> NDArray[np.uint64]:
    """64 bits of each training prompt's hash, sorted: enough to find leakage, too little to tell a prompt."""
    return np.unique(np.array([int(key[:16], 16) for key in table.keys], np.uint64))


def _candidates(table: OutcomeTable) -> tuple[BundleCandidate, ...]:
    costs = table.costs()
    means = None if costs is None else np.nanmean(costs, axis=0)
    return tuple(
        BundleCandidate(
            name, table.locations.get(name, "cloud"), None if means is None else float(means[column])
        )
        for column, name in enumerate(table.candidates)
    )
