"""All stages in the order in which they happen; each is kept on disk, and runs again only if need be."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edgewise.learning.distill.base import base_folder
from edgewise.learning.distill.compressing import RECIPES
from edgewise.learning.distill.exporting import export
from edgewise.learning.distill.finetune import Lesson, Rows, fine_tune
from edgewise.learning.distill.measuring import cpu_ms, figures, fitted_temperature
from edgewise.learning.distill.state import stage
from edgewise.upstreams.classifier import MANIFEST, ClassifierBundle, ClassifierManifest, Learned, pack
from edgewise.upstreams.classifier.runtime import Runtime, open_tokenizer, token_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.learning.distill.labelled import LabelledTable
    from edgewise.learning.distill.options import DistillOptions
    from edgewise.learning.distill.parts import Parts
    from edgewise.learning.distill.state import Finished

    Say = Callable[[str], None]

STAGES = "stages"
FULL = "fp32"


@dataclass(frozen=True, slots=True)
class Distilled:
    """What came out: the bundle chosen, and every bundle there was to choose from, by recipe."""

    chosen: ClassifierManifest
    recipes: dict[str, ClassifierManifest]


def distill(parts: Parts, output: Path, options: DistillOptions, say: Say) -> Distilled:
    """From tables to a bundle in `output`: fine-tune, export, compress, choose.

    Chosen is the smallest bundle that keeps `options.keep` of the full one's accuracy on the validation part.
    Every stage lies in `output/stages`, and is kept where nothing before it changed. Raises `MissingExtra`
    without the extra "distill", `AssetError` and `BundleError`.
    """
    work = _Work(parts, output / STAGES, options, say)
    tuned = work.tuned()
    full = work.exported(tuned)
    for recipe in RECIPES:
        work.compressed(recipe, full)
    found = {name: ClassifierBundle.load(work.folder / name).manifest for name in (FULL, *RECIPES)}
    chosen = _smallest(found, options.keep, say)
    for name in (found[chosen].model, found[chosen].tokenizer, MANIFEST):  # the manifest last
        aside = output / f".{name}"
        shutil.copyfile(work.folder / chosen / name, aside)
        aside.replace(output / name)
    return Distilled(found[chosen], found)


def _smallest(found: dict[str, ClassifierManifest], keep: float, say: Say) -> str:
    def kept(name: str) -> float:
        full = found[FULL].metrics["validation"]["accuracy"]
        return float(found[name].metrics["validation"]["accuracy"] / full) if full else 1.0

    ranked = sorted(found, key=lambda name: found[name].metrics["bytes"])
    chosen = next(name for name in ranked if name == FULL or kept(name) >= keep)
    if chosen == FULL:
        say(f"No compressed model keeps {keep:.1%} of the accuracy on the validation part; it stays {FULL}.")
    return chosen


@dataclass(frozen=True, slots=True)
class _Work:
    """One distillation: its tables, the folder of its stages, and how."""

    parts: Parts
    folder: Path
    options: DistillOptions
    say: Say

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of every logit."""
        return self.parts.train.names

    def tuned(self) -> Finished:
        """The stage that trains."""
        base = base_folder(self.options.base)
        given = {
            "parts": [_fingerprint(part) for part in (self.parts.train, self.parts.validation)],
            "options": {**msgspec.to_builtins(self.options), "keep": None},
        }
        return stage(self.folder / "finetune", given, lambda place: self._tune(base, place), self.say)

    def _tune(self, base: str, place: Path) -> dict[str, Any]:
        tokenizer = open_tokenizer(Path(base) / "tokenizer.json", self.options.most_tokens)
        column = {name: number for number, name in enumerate(self.labels)}

        def rows(table: LabelledTable) -> Rows:
            return Rows(token_ids(tokenizer, table.texts), [column[label] for label in table.labels])

        lesson = Lesson(rows(self.parts.train), rows(self.parts.validation), len(column), self.options)
        return fine_tune(base, lesson, place, self.say)

    def exported(self, tuned: Finished) -> Finished:
        """The stage that makes ONNX of it: the full bundle."""
        trained = self.folder / "finetune"

        def make(place: Path) -> dict[str, Any]:
            texts = self.parts.validation.texts
            facts = export(trained, len(self.labels), self.options.most_tokens, texts, place)
            shutil.copyfile(trained / "tokenizer.json", place / "tokenizer.json")
            self._packed(FULL, place, place)
            return facts

        return stage(self.folder / FULL, [tuned.key, self._tested()], make, self.say)

    def compressed(self, recipe: str, full: Finished) -> Finished:
        """The stage that makes it small one way."""

        def make(place: Path) -> dict[str, Any]:
            source = self.folder / FULL
            RECIPES[recipe](source / "model.onnx", place / "model.onnx")
            shutil.copyfile(source / "tokenizer.json", place / "tokenizer.json")
            self._packed(recipe, place, source)
            return {}

        return stage(self.folder / recipe, [full.key, recipe], make, self.say)

    def _packed(self, recipe: str, place: Path, full: Path) -> None:
        """Measure a model beside the full one, fit its temperature, and write its manifest."""
        runtime, whole = self._runtime(place), self._runtime(full)
        metrics: dict[str, Any] = {"bytes": (place / "model.onnx").stat().st_size}
        temperature = 1.0
        for name, part in (("validation", self.parts.validation), ("test", self.parts.test)):
            tokens = runtime.tokens(part.texts)
            logits, labels = runtime.logits(tokens), self._columns(part.labels)
            if name == "validation":
                temperature = fitted_temperature(logits, labels)
            metrics[name] = figures(logits, labels, temperature, whole.logits(tokens))
        metrics["cpu_ms"] = cpu_ms(runtime, self.parts.test.texts)
        self.say(
            f"{recipe}: {metrics['bytes'] / 1e6:.1f} MB, "
            f"accuracy {metrics['validation']['accuracy']:.1%} on the validation part"
        )
        pack(
            place,
            labels=self.labels,
            recipe=recipe,
            temperature=temperature,
            most_tokens=self.options.most_tokens,
            learned=self._learned(),
            metrics=metrics,
        )

    def _runtime(self, place: Path) -> Runtime:
        return Runtime(place / "model.onnx", place / "tokenizer.json", self.options.most_tokens)

    def _columns(self, labels: Sequence[str]) -> Any:
        column = {name: number for number, name in enumerate(self.labels)}
        return np.array([column[label] for label in labels])

    def _tested(self) -> str:
        return _fingerprint(self.parts.test)

    def _learned(self) -> Learned:
        parts = self.parts
        return Learned(
            self.options.base,
            len(parts.train.texts),
            len(parts.validation.texts),
            len(parts.test.texts),
            _fingerprint(parts.train),
            self.options.seed,
            tuple(dict.fromkeys((*parts.train.notes, *parts.test.notes))),
        )


def _fingerprint(table: LabelledTable) -> str:
    """The same for the same rows, in whatever order."""
    rows = sorted(zip(table.texts, table.labels, strict=True))
    return sha256(msgspec.json.encode([[_plain(text), _plain(label)] for text, label in rows])).hexdigest()[
        :16
    ]


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
