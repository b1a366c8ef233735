"""A bundle and a few dozen labels of a new candidate → a bundle that knows it too. Nothing is retrained."""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from safetensors.numpy import load, save

from edgewise.domain.errors import BundleError, TableError
from edgewise.features.described import describer
from edgewise.learning.tables.sketches import pooled, sketch
from edgewise.learning.train.held_out import errors, spread
from edgewise.learning.train.learn import Trained
from edgewise.learning.train.pack import REST, Packed, hashes_and_version, keys_of
from edgewise.learning.train.targets import Targets, fingerprint, targets_of
from edgewise.policies.bundles.bundle import POSITIVE, VALUE, Bundle, assembled
from edgewise.policies.bundles.manifest import BundleCandidate, Head, read_manifest
from edgewise.policies.learners.extend import extend, extend_amounts
from edgewise.policies.learners.protocol import folds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.policies.bundles.manifest import Manifest

    Doubles = NDArray[np.float64]
    Fit = Callable[[Described, Doubles, Doubles], Any]

FEWEST_LABELS = 20
FOLDS = 5
SURE = 1.0  # standard errors by which a new candidate must beat the best single one to share its head start


def add_candidates(
    folder: Path, table: OutcomeTable, *, progress: Callable[[str], None] | None = None
) -> Trained:
    """The bundle in `folder` and every candidate of `table` that it does not know.

    The forecasts of the others stay what they were, bit for bit. Raises `TableError` for a table that adds
    nobody, has too few labels or lacks what the bundle forecasts, and `BundleError` for a bundle that cannot
    be read.
    """
    manifest = read_manifest(folder)
    try:
        parts: dict[str, dict[str, Any]] = {
            name: dict(load((folder / name).read_bytes())) for name in manifest.files
        }
    except OSError as error:
        raise BundleError(f"{folder} cannot be read: {error.strerror}.") from error
    has = {candidate.id for candidate in manifest.candidates}
    new = [name for name in table.candidates if name not in has]
    if not new:
        raise TableError(
            f"The bundle has {', '.join(table.candidates)} already; --extend adds candidates that it "
            "does not know. To learn from more labels of those, train anew."
        )
    if progress:
        progress(f"describing {len(table):,} prompts")
    features = describer(manifest.features)(table.prompts)
    notes = list(table.notes)
    if ignored := [name for name in table.candidates if name in has]:
        notes.append(f"The bundle has {', '.join(ignored)} already: their rows change nothing.")
    for name in new:
        added = _Added.of(manifest, parts, table.only((name,)), features)
        manifest, parts = added.manifest(), added.parts()
        notes += added.notes()
    manifest = msgspec.structs.replace(
        manifest, training=msgspec.structs.replace(manifest.training, notes=tuple(notes))
    )
    files = {name: save(_contiguous(arrays)) for name, arrays in parts.items()}
    packed = _versioned(manifest, files, parent=read_manifest(folder).version)
    return Trained(packed, packed.bundle(), tuple(notes))


def _versioned(manifest: Manifest, files: dict[str, bytes], *, parent: str) -> Packed:
    training = msgspec.structs.replace(manifest.training, parent=parent)
    hashes, version = hashes_and_version(
        files, (training.fingerprint, manifest.objective, manifest.features, parent, manifest.seed)
    )
    return Packed(msgspec.structs.replace(manifest, training=training, files=hashes, version=version), files)


def _contiguous(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: np.array(value, order="C") for name, value in arrays.items()}


@dataclass(frozen=True, slots=True)
class _Added:
    """One new candidate: what was learned of it, for each head of a bundle."""

    before: Manifest
    old: dict[str, dict[str, Any]]
    bundle: Bundle
    table: OutcomeTable
    targets: Targets
    features: Described
    rows: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        parts: dict[str, dict[str, Any]],
        table: OutcomeTable,
        features: Described,
    ) -> _Added:
        """Check that `table`, which has one candidate, tells enough about it."""
        name = table.candidates[0]
        targets = targets_of(table, manifest.objective)
        rows = np.flatnonzero(~np.isnan(targets.value[:, 0]))
        labels = len(np.unique(targets.clusters[rows]))
        if labels < FEWEST_LABELS:
            raise TableError(
                f"The table has {labels} prompts with an outcome of {name}; "
                f"adding a candidate needs at least {FEWEST_LABELS}."
            )
        bundle = assembled(manifest, parts)
        added = cls(manifest, parts, bundle, table, targets, features, rows)
        if missing := [head for head in manifest.heads if added._lacks(head)]:
            raise TableError(
                f"The bundle forecasts {', '.join(missing)}; the table has none of it for {name}. "
                "Add the column, or train anew without it."
            )
        if table.costs() is None and all(c.usd is not None for c in manifest.candidates):
            raise TableError(
                f"The bundle knows what each candidate costs; the table has no cost of {name}. "
                "Add `cost_usd` or `usd_per_mtok` (0 where it is free)."
            )
        return added

    @property
    def name(self) -> str:
        """Who is added."""
        return self.table.candidates[0]

    def parts(self) -> dict[str, dict[str, Any]]:
        """Every file's arrays, those of the new candidate among them."""
        out = {name: dict(arrays) for name, arrays in self.old.items()}
        for head, described in self.before.heads.items():
            fit = self._fit(head)
            if fit is not None:
                truth, weights = self._truth(head)
                out[described.file] = dict(fit(self.features, truth, weights).arrays())
        rest = out[REST]
        for head in self._mixed():
            edges, half = spread(*(column[:, None] for column in self._held(head)))
            for what, found in (("edges", edges), ("half", half)):
                rest[f"spread/{head}/{what}"] = np.hstack([rest[f"spread/{head}/{what}"], found])
        rest["offsets"] = np.append(rest["offsets"], self._offset()).astype(np.float32)
        rest["margin"] = np.append(rest["margin"], self._head_start()).astype(np.float32)
        asked = self.table.take(self.rows)
        rest["keys"] = np.union1d(rest["keys"], keys_of(asked))
        if "sketches" in rest:
            rest["sketches"] = pooled(rest["sketches"], sketch(asked.prompts, asked.keys))
        return out

    def manifest(self) -> Manifest:
        """The old one and a candidate, its figures on labels held out, and what it was learned from."""
        costs = self.table.costs()
        usd = None if costs is None else float(np.nanmean(costs))
        where = self.table.locations.get(self.name, "cloud")
        old = self.before.training
        both = f"{old.fingerprint}:{fingerprint(self.table, self.targets.value)}"
        training = msgspec.structs.replace(
            old,
            prompts=old.prompts + len(self.rows),
            rows=old.rows + int(self.table.repeats[self.rows].sum()),
            fingerprint=sha256(both.encode()).hexdigest(),
        )
        return msgspec.structs.replace(
            self.before,
            candidates=(*self.before.candidates, BundleCandidate(self.name, where, usd)),
            heads={name: self._head(name, head) for name, head in self.before.heads.items()},
            training=training,
        )

    def notes(self) -> list[str]:
        """What was learned from, in sentences."""
        seen = np.isin(keys_of(self.table.take(self.rows)), self.old[REST]["keys"]).sum()
        said = f"{self.name} was added from {len(self.rows):,} labels to bundle {self.before.version}."
        if seen:
            said += f" {seen:,} of the prompts were in its training part; others tell more."
        if self.bundle.answers:
            said += f" Answers of {self.name} are not read, and no answer tells what it would gain."
        return [said]

    def _head(self, name: str, head: Head) -> Head:
        if self._fit(name) is None:
            return head
        held, truth = self._held(name)
        found = errors(held[:, None], truth[:, None], (self.name,))
        return msgspec.structs.replace(head, metrics={**head.metrics, **found})

    def _mixed(self) -> list[str]:
        """Heads whose forecasts of the new candidate are a blend of the others' forecasts."""
        return [name for name in self.before.heads if name in self.bundle.heads]

    def _fit(self, head: str) -> Fit | None:
        """What adds a candidate to a head; None for heads that speak of the prompt alone, or of an answer."""
        if head in self.bundle.heads:
            inner = self.bundle.heads[head]
            return lambda features, truth, weights: extend(inner, features, truth, weights)
        if head in self.bundle.positive:
            rule = self.bundle.positive[head]
            return lambda features, truth, weights: extend_amounts(rule, features, truth, weights)
        return None

    def _truth(self, head: str) -> tuple[Doubles, Doubles]:
        found = self.targets.value if head == VALUE else self.targets.metrics[head]
        return found[:, 0], self.targets.weights[:, 0]

    def _lacks(self, head: str) -> bool:
        measured = self.targets.metrics.get(head)
        return (
            head != VALUE
            and self._fit(head) is not None
            and (measured is None or bool(np.isnan(measured[:, 0]).all()))
        )

    def _held(self, head: str) -> tuple[Doubles, Doubles]:
        """Forecasts (n,) of the new candidate on labels that were held out, and the truth (n,)."""
        fit, (truth, weights) = self._fit(head), self._truth(head)
        held = np.full(len(truth), np.nan)
        fold = folds(self.targets.clusters, FOLDS, self.before.seed)
        for number in range(FOLDS):
            out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            if fit is None or not len(out) or np.isnan(truth[rest]).all():
                continue
            said = fit(self.features.take(rest), truth[rest], weights[rest]).predict(self.features.take(out))
            held[out] = said[:, 0, -1] if head in POSITIVE else said[:, -1]
        if head in POSITIVE and np.nan_to_num(truth).max() <= 0.0:
            held[:] = 0.0
        return held, truth

    def _offset(self) -> float:
        """What a share or a budget gives every cloud candidate, the new one gets too."""
        if self.table.locations.get(self.name, "cloud") == "edge":
            return 0.0
        clouds = [i for i, c in enumerate(self.before.candidates) if c.location == "cloud"]
        return float(self.bundle.offsets[clouds[0]]) if clouds else 0.0

    def _head_start(self) -> float:
        """The best single candidate's head start, where labels say beyond doubt that this one is better."""
        margin = self.bundle.margin
        best = int(margin.argmax())
        if margin[best] <= 0.0:
            return 0.0
        said = self.bundle.heads[VALUE].predict(self.features.take(self.rows))[:, best]
        lead = self.targets.value[self.rows, 0] - said
        return float(margin[best]) if lead.mean() > SURE * lead.std() / len(lead) ** 0.5 else 0.0
