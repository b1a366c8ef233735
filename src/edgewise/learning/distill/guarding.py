"""The stage that finds out when the small model's answer may stand: `cascade.json` in the bundle."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from edgewise.domain.errors import TableError
from edgewise.domain.keys import prompt_key
from edgewise.learning.cascade.fitting import Guard, Held, fitted
from edgewise.learning.distill.parts import Parts, parted
from edgewise.learning.distill.stages import fingerprint
from edgewise.learning.distill.state import stage
from edgewise.learning.tables.read import readable, rows_of
from edgewise.policies.cascade.placing import FILE, Placing
from edgewise.upstreams.classifier import ClassifierBundle
from edgewise.upstreams.classifier.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from edgewise.learning.distill.labelled import LabelledTable

PLACE = "cascade"
USUAL = Guard()


class Cloud(NamedTuple):
    """Whose accuracy nothing shall be lost against: its name, and its labels of some texts."""

    name: str
    labels: Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Guarding:
    """What to promise, proven on which texts, against which cloud.

    Without `calibration` nothing is promised; without `cloud` it is the full model. `beyond` are texts that
    are out of scope, if any are known.
    """

    guard: Guard = USUAL
    calibration: LabelledTable | None = None
    cloud: Cloud | None = None
    beyond: Sequence[str] = ()

    def guarded(
        self, output: Path, stages: Path, full: Path, chosen_by: LabelledTable, say: Callable[[str], None]
    ) -> Placing:
        """Fit the bundle in `output`, or keep what was fitted before, and name the file in its manifest."""
        edge = ClassifierBundle.load(output)
        cloud = self.cloud or bundle_cloud(full)
        given = [
            edge.manifest.version,
            cloud.name,
            fingerprint(chosen_by),
            None if self.calibration is None else fingerprint(self.calibration),
            sha256("\0".join(map(prompt_key, sorted(self.beyond))).encode()).hexdigest(),
            msgspec.to_builtins(self.guard),
        ]

        def held(table: LabelledTable) -> Held:
            return Held(table.texts, table.labels, edge.classify(table.texts), cloud.labels(table.texts))

        def make(place: Path) -> dict[str, Any]:
            found = fitted(
                (edge.manifest.version, cloud.name),
                held(chosen_by),
                None if self.calibration is None else held(self.calibration),
                self.guard,
                edge.classify(list(self.beyond)) if self.beyond else None,
            )
            encoded = msgspec.json.encode(found, order="sorted")
            (place / FILE).write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
            return {}

        stage(stages / PLACE, given, make, say)
        return _placed(stages / PLACE / FILE, output)


def spared(parts: Parts, seed: int) -> tuple[Parts, LabelledTable]:
    """The same parts, less a tenth of the training part, on which something can then be proven."""
    inner = parted(parts.train, parts.test, seed=seed + 1)
    return Parts(inner.train, parts.validation, parts.test), inner.validation


def bundle_cloud(folder: Path) -> Cloud:
    """Another classifier as the cloud."""
    bundle = ClassifierBundle.load(folder)
    name = f"{bundle.manifest.recipe}:{bundle.manifest.version}"

    def labels(texts: Sequence[str]) -> list[str]:
        return [said.label for said in bundle.classify(texts)]

    return Cloud(name, labels)


def column_cloud(column: str, text_column: str, tables: Sequence[Path], names: Sequence[str]) -> Cloud:
    """What a column says that the cloud answered; `names` are the labels in their right spelling.

    Raises `TableError` where a table has no such column, and, when asked, where a text has no such answer.
    """
    said: dict[str, str] = {}
    spelling = {_folded(name): name for name in names}
    for path in tables:
        with readable(path), rows_of(path) as (columns, rows):
            if column not in columns:
                raise TableError(
                    f"{path.name} has no column `{column}` with the cloud's labels, and no folder has "
                    "that name; name one of the two with --cloud."
                )
            for row in rows:
                label = "" if row.get(column) is None else str(row[column]).strip()
                if label:
                    said[prompt_key(str(row.get(text_column) or ""))] = spelling.get(_folded(label), label)

    def labels(texts: Sequence[str]) -> list[str]:
        return [_answer(said, text, column) for text in texts]

    return Cloud(f"column {column}", labels)


def _answer(said: Mapping[str, str], text: str, column: str) -> str:
    found = said.get(prompt_key(text))
    if found is None:
        raise TableError(f"Column `{column}` says nothing of {text[:40]!r}; fill it, or drop that row.")
    return found


def _placed(source: Path, output: Path) -> Placing:
    """Copy the file beside the classifier, and its hash into the manifest: never a hash of another file."""
    manifest = read_manifest(output)
    files = {name: hash_ for name, hash_ in manifest.files.items() if name != FILE}
    write_manifest(output, replace(manifest, files=files))
    aside = output / f".{FILE}"
    shutil.copyfile(source, aside)
    aside.replace(output / FILE)
    raw = (output / FILE).read_bytes()
    write_manifest(output, replace(manifest, files={**files, FILE: sha256(raw).hexdigest()}))
    return msgspec.json.decode(raw, type=Placing)


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
