"""`classifier.json`: the labels, the files and their hashes, how sure to be, and what it was learned from."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from edgewise.domain.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "classifier.json"
SCHEMA = 1
KIND = "classifier"
MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
MOST_TOKENS = 65_536


class Learned(Struct, frozen=True):
    """What a classifier was made of: the base model, counts of texts, the table's fingerprint, the seed."""

    base: str
    train: int
    validation: int
    test: int
    fingerprint: str
    seed: int
    notes: tuple[str, ...] = ()


class ClassifierManifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `files` holds the SHA-256 of every other file of the bundle.

    `model` is an ONNX graph from token ids to logits, one column a label, in the order of `labels`; a softmax
    of the logits divided by `temperature` is the probability. Texts are cut after `most_tokens` tokens.
    `recipe` says how it was made small. `version` is taken from the hashes: other bytes, another version.
    """

    schema: int
    kind: str
    version: str
    labels: Annotated[tuple[str, ...], Meta(min_length=2)]
    recipe: str
    temperature: Annotated[float, Meta(ge=1e-3, le=1e3)]
    most_tokens: Annotated[int, Meta(ge=2, le=MOST_TOKENS)]
    learned: Learned
    metrics: dict[str, Any]
    files: dict[str, str]
    model: str = MODEL
    tokenizer: str = TOKENIZER

    def __post_init__(self) -> None:
        if self.kind != KIND:
            raise ValueError(f"it is of kind {self.kind[:40]!r}, not {KIND!r}")
        if len(set(self.labels)) < len(self.labels) or not all(map(str.strip, self.labels)):
            raise ValueError("a label is empty, or stands there twice")


def pack(  # noqa: PLR0913 - the fields that cannot be computed
    folder: Path,
    *,
    labels: tuple[str, ...],
    recipe: str,
    temperature: float,
    most_tokens: int,
    learned: Learned,
    metrics: dict[str, Any],
) -> ClassifierManifest:
    """Write the manifest of a folder that already holds model and tokenizer: last, and whole."""
    files = {name: sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, TOKENIZER)}
    version = sha256("".join([*files.values(), *labels, f"{temperature:.6g}"]).encode()).hexdigest()[:12]
    manifest = ClassifierManifest(
        SCHEMA, KIND, version, labels, recipe, temperature, most_tokens, learned, metrics, files
    )
    write_manifest(folder, manifest)
    return manifest


def write_manifest(folder: Path, manifest: ClassifierManifest) -> None:
    """Write it whole or not at all."""
    aside = folder / f".{MANIFEST}"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n")
    aside.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> ClassifierManifest:
    """Read and check a bundle's manifest and every file's hash; raises `BundleError`."""
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder} is no classifier: {MANIFEST} cannot be read ({error.strerror})."
        ) from error
    try:
        schema = msgspec.json.decode(raw, type=dict[str, Any]).get("schema")
        if schema != SCHEMA:
            raise BundleError(f"{path} has schema {schema}, this Edgewise reads {SCHEMA}; distill it anew.")
        manifest = msgspec.json.decode(raw, type=ClassifierManifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}.") from error
    if missing := {manifest.model, manifest.tokenizer} - manifest.files.keys():
        raise BundleError(f"{path} is damaged: it has no SHA-256 of {' and '.join(sorted(missing))}.")
    for name, expected in manifest.files.items():
        _check(folder, name, expected)
    return manifest


def _check(folder: Path, name: str, expected: str) -> None:
    if not name.isprintable() or "/" in name or "\\" in name or name.startswith("."):
        raise BundleError(f"{folder / MANIFEST} names a file outside the bundle: {name!r}.")
    try:
        found = sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(
            f"{folder / name} cannot be read ({error.strerror}); distill or copy anew."
        ) from error
    if found != expected:
        raise BundleError(
            f"{folder / name} is torn or was changed: its SHA-256 is not the one in {MANIFEST}."
        )
