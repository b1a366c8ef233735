"""What a distillation found, as plain records: the same for JSON, the page and the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from edgewise.learning.distill.benchmark import BundleFigures
from edgewise.learning.distill.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.learning.distill.benchmark import Benchmark
    from edgewise.upstreams.classifier import ClassifierManifest

FULL = "fp32"
HALF = 0.5  # of the test part: a label as frequent as that makes accuracy say little
SHOWN = 5  # labels that a sentence names


class Recipe(Struct, frozen=True):
    """One bundle: `smaller` is the share of the full model's bytes that it saves.

    `kept` is the share of the full model's accuracy that it keeps on the validation part, by which it was
    chosen or not; `validation` and `test` hold accuracy with its 95 % interval, macro-F1, calibration error
    and agreement with the full model.
    """

    recipe: str
    bytes: int
    smaller: float
    kept: float
    temperature: float
    validation: dict[str, Any]
    test: dict[str, Any]
    figures: BundleFigures


class DistillReport(Struct, frozen=True):
    """The whole of it. `training` are each epoch's figures on the validation part, 0 is the head alone.

    `best` is the epoch kept, `adapted` what reading domain text did (None without it), `parity` the most by
    which a logit of the exported model differs from the trained one's, `promise` what holds of a cascade.
    """

    table: str
    tested_on: str
    version: str
    chosen: str
    keep: float
    base: str
    seed: int
    labels: int
    texts: dict[str, int]
    notes: tuple[str, ...]
    training: tuple[dict[str, Any], ...]
    best: int
    parity: float
    recipes: tuple[Recipe, ...]
    at: str
    machine: Machine
    watts: float
    adapted: dict[str, Any] | None = None
    promise: str | None = None

    @property
    def full(self) -> Recipe:
        """The model that was not compressed."""
        return next(each for each in self.recipes if each.recipe == FULL)

    @property
    def ours(self) -> Recipe:
        """The one chosen."""
        return next(each for each in self.recipes if each.recipe == self.chosen)

    @property
    def verdict(self) -> str:
        """What came of it, in a sentence or two; every figure of the test part was chosen by nothing."""
        ours, full = self.ours, self.full
        right = (
            f"On the test part it is right in {_percent(ours.test)} of {ours.test['texts']:,} texts "
            f"({ours.test['low']:.1%} to {ours.test['high']:.1%})"
        )
        if ours is full:
            return f"No smaller model keeps {self.keep:.1%} of the accuracy; it stays {FULL}. {right}."
        return (
            f"{ours.recipe} is {ours.smaller:.1%} smaller than {FULL} and keeps {ours.kept:.1%} of its "
            f"accuracy on the validation part. {right}, {FULL} in {_percent(full.test)}; "
            f"they agree in {ours.test['agreement']:.1%}."
        )

    @property
    def doubts(self) -> list[str]:
        """What a high accuracy may hide where labels are rare, a sentence each."""
        test, scores = self.ours.test, self.ours.figures.labels
        usual = max(scores, key=lambda score: score.texts)
        share = usual.texts / test["texts"]
        said: list[str] = []
        if test["low"] <= share:
            said.append(
                f"Always saying {usual.label!r} would be right in {share:.1%} of the test part's "
                f"{test['texts']:,} texts; nothing there shows that {self.chosen} knows more."
            )
        elif share >= HALF:
            said.append(
                f"Always saying {usual.label!r} would be right in {share:.1%} of the test part; "
                f"macro-F1, which counts each label the same, is {test['macro_f1']:.3f}."
            )
        missed = [score for score in scores if score.recall == 0.0]
        if missed:
            named = ", ".join(f"{score.label!r} ({score.texts:,})" for score in missed[:SHOWN])
            more = f" and {len(missed) - SHOWN:,} more" if len(missed) > SHOWN else ""
            said.append(f"Never recognised on the test part, by their texts there: {named}{more}.")
        if absent := self.labels - len(scores):
            said.append(f"Of {absent:,} of {self.labels:,} labels the test part has no text: add rows.")
        return said


def report_on(  # noqa: PLR0913 - one for each stage that has something to say
    chosen: ClassifierManifest,
    found: Mapping[str, ClassifierManifest],
    measured: Benchmark,
    *,
    tables: tuple[str, str],
    keep: float,
    tuned: Mapping[str, Any],
    exported: Mapping[str, Any],
    adapted: Mapping[str, Any] | None = None,
    promise: str | None = None,
) -> DistillReport:
    """Put together what the stages said. `tables` are the names of the table and of what was tested on."""
    learned, full = chosen.learned, found[FULL]
    return DistillReport(
        *tables,
        version=chosen.version,
        chosen=chosen.recipe,
        keep=keep,
        base=learned.base,
        seed=learned.seed,
        labels=len(chosen.labels),
        texts={"train": learned.train, "validation": learned.validation, "test": learned.test},
        notes=learned.notes,
        training=tuple(tuned["epochs"]),
        best=tuned["best"],
        parity=exported["parity"],
        recipes=tuple(
            _recipe(name, manifest, full, measured.bundles[name]) for name, manifest in found.items()
        ),
        at=measured.at,
        machine=measured.machine,
        watts=measured.watts,
        adapted=None if adapted is None else dict(adapted),
        promise=promise,
    )


def _recipe(
    name: str, manifest: ClassifierManifest, full: ClassifierManifest, figures: BundleFigures
) -> Recipe:
    mine, whole = manifest.metrics, full.metrics
    best = whole["validation"]["accuracy"]
    return Recipe(
        name,
        mine["bytes"],
        round(1 - mine["bytes"] / whole["bytes"], 6),
        round(mine["validation"]["accuracy"] / best, 6) if best else 1.0,
        round(manifest.temperature, 6),
        mine["validation"],
        mine["test"],
        figures,
    )


def _percent(part: Mapping[str, Any]) -> str:
    return f"{part['accuracy']:.1%}"
