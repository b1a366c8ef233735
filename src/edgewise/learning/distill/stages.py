"""Each stage of a distillation: what goes into it, what it makes, and where that lies."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edgewise.learning.distill.base import base_folder
from edgewise.learning.distill.benchmark import benchmark
from edgewise.learning.distill.compressing import RECIPES
from edgewise.learning.distill.machine import machine
from edgewise.learning.distill.measuring import cpu_ms, figures, fitted_temperature, paired_error
from edgewise.learning.distill.state import stage
from edgewise.upstreams.classifier import ClassifierBundle, Learned, pack
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
class Adaptation:
    """The stage that reads domain text without labels: `texts`, and the folder of all stages."""

    texts: Sequence[str]
    folder: Path
    options: DistillOptions
    say: Say

    @property
    def place(self) -> Path:
        """The adapted model, which is a base model like any other."""
        return self.folder / "adapt"

    def adapted(self) -> Finished:
        """Run it, unless it is done."""
        plain = sorted(_plain(text) for text in self.texts)
        given = {
            "texts": sha256(msgspec.json.encode(plain)).hexdigest(),
            "base": self.options.base,
            "seed": self.options.seed,
            "threads": self.options.threads,
            "most_tokens": self.options.most_tokens,
            "adapting": msgspec.to_builtins(self.options.adapting),
        }

        def make(place: Path) -> dict[str, Any]:
            from edgewise.learning.distill.adapt import adapt  # noqa: PLC0415 - torch takes seconds

            base = base_folder(self.options.base)
            return adapt(base, sorted(self.texts), self.options, place, self.say)

        return stage(self.place, given, make, self.say)


@dataclass(frozen=True, slots=True)
class Work:
    """One distillation: its tables, the folder of its stages, and how.

    Every stage says by its key what it was made of, so that it runs again only where something before it
    changed. torch is loaded by the stages that train and export, and by them alone.
    """

    parts: Parts
    folder: Path
    options: DistillOptions
    say: Say
    unlabelled: Sequence[str] = field(default=())
    said: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of every logit."""
        return self.parts.train.names

    def tuned(self) -> Finished:
        """The stage that trains, on the adapted base where there is one."""
        adapted = self.adapted()
        options = msgspec.to_builtins(self.options)
        chosen = ("base", "seed", "most_tokens", "threads", "tuning")
        given: dict[str, Any] = {
            "parts": [fingerprint(part) for part in (self.parts.train, self.parts.validation)],
            "options": {**{name: options[name] for name in chosen}, "keep": None},
        }
        if adapted is not None:
            given["adapted"] = adapted.key

        def make(place: Path) -> dict[str, Any]:
            base = base_folder(self.options.base) if adapted is None else str(self.folder / "adapt")
            return self._tune(base, place)

        return stage(self.folder / "finetune", given, make, self.say)

    def adapted(self) -> Finished | None:
        """The stage that reads domain text, where there is any."""
        if not self.unlabelled:
            return None
        return Adaptation(self.unlabelled, self.folder, self.options, self.say).adapted()

    def _tune(self, base: str, place: Path) -> dict[str, Any]:
        from edgewise.learning.distill.finetune import Lesson, Rows, fine_tune  # noqa: PLC0415 - as above

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
            from edgewise.learning.distill.exporting import export  # noqa: PLC0415 - as above

            texts = self.parts.validation.texts
            facts = export(trained, len(self.labels), self.options.most_tokens, texts, place)
            shutil.copyfile(trained / "tokenizer.json", place / "tokenizer.json")
            self._packed(FULL, place, place)
            return facts

        return stage(self.folder / FULL, [tuned.key, fingerprint(self.parts.test)], make, self.say)

    def compressed(self, recipe: str, source: str, bits: str, keys: Sequence[str]) -> Finished:
        """The stage that writes the weights of one of the stages before with fewer bits."""

        def make(place: Path) -> dict[str, Any]:
            RECIPES[bits](self.folder / source / "model.onnx", place / "model.onnx")
            shutil.copyfile(self.folder / source / "tokenizer.json", place / "tokenizer.json")
            self._packed(recipe, place, self.folder / FULL)
            return {}

        return stage(self.folder / recipe, [*keys, bits], make, self.say)

    def benchmarked(self, recipes: Sequence[str]) -> Finished:
        """The stage that measures every bundle on this machine; on another one, it runs again."""
        folders = {name: self.folder / name for name in recipes}
        versions = {name: ClassifierBundle.load(folder).manifest.version for name, folder in folders.items()}
        given = [versions, fingerprint(self.parts.test), machine().same, self.options.watts]

        def make(place: Path) -> dict[str, Any]:
            return benchmark(folders, self.parts.test, self.options.watts, place, self.say)

        return stage(self.folder / "benchmark", given, make, self.say)

    def _packed(self, recipe: str, place: Path, full: Path) -> None:
        """Measure a model beside the full one, fit its temperature, and write its manifest."""
        runtime = self._runtime(place)
        metrics: dict[str, Any] = {"bytes": (place / "model.onnx").stat().st_size}
        temperature = 1.0
        for name, part in (("validation", self.parts.validation), ("test", self.parts.test)):
            logits, labels = runtime.logits(runtime.tokens(part.texts)), columns(self.labels, part.labels)
            if place == full:
                self.said[name] = logits
            whole = self._whole(name, part, full)
            if name == "validation":
                temperature = fitted_temperature(logits, labels)
                metrics["paired_error"] = paired_error(logits, whole, labels)
            metrics[name] = figures(logits, labels, temperature, whole)
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

    def _whole(self, name: str, part: LabelledTable, full: Path) -> Any:
        """The full model's logits on a part: computed once, by its own tokenizer."""
        if name not in self.said:
            runtime = self._runtime(full)
            self.said[name] = runtime.logits(runtime.tokens(part.texts))
        return self.said[name]

    def _runtime(self, place: Path) -> Runtime:
        return Runtime(place / "model.onnx", place / "tokenizer.json", self.options.most_tokens)

    def _learned(self) -> Learned:
        parts = self.parts
        return Learned(
            self.options.base,
            len(parts.train.texts),
            len(parts.validation.texts),
            len(parts.test.texts),
            fingerprint(parts.train),
            self.options.seed,
            tuple(dict.fromkeys((*parts.train.notes, *parts.test.notes))),
        )


def columns(names: Sequence[str], labels: Sequence[str]) -> Any:
    """(n,) the column of each label."""
    column = {name: number for number, name in enumerate(names)}
    return np.array([column[label] for label in labels])


def fingerprint(table: LabelledTable) -> str:
    """The same for the same rows, in whatever order."""
    rows = sorted(zip(table.texts, table.labels, strict=True))
    said = [[_plain(text), _plain(label)] for text, label in rows]
    return sha256(msgspec.json.encode(said)).hexdigest()[:16]


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
