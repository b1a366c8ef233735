"""The stages that leave parts of the fine-tuned model out: tokens, layers, the whole transformer."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.learning.distill.stages import fingerprint
from edgewise.learning.distill.state import stage
from edgewise.learning.distill.vocabulary import GENERAL, cut
from edgewise.upstreams.classifier.runtime import open_tokenizer, token_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgewise.learning.distill.finetune import Lesson
    from edgewise.learning.distill.labelled import LabelledTable
    from edgewise.learning.distill.network import TextClassifier
    from edgewise.learning.distill.stages import Work
    from edgewise.learning.distill.state import Finished

CUT, LAYERS, STATIC = "cut", "layers", "static"
TRAINED = "finetune"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Students:
    """What is made of the model in `work`'s folder, which was `tuned`.

    Each one lies in a stage of its own, as a graph of 32 bits and its tokenizer. torch is loaded by those
    that are not done.
    """

    work: Work
    tuned: Finished

    def cut(self) -> Finished:
        """The same model for the tokens that its domain uses; nothing is trained."""

        def make(place: Path) -> dict[str, Any]:
            kept = cut(self._tokenizer, self.work.parts.train.texts, self.work.options.most_tokens)
            (place / TOKENIZER).write_bytes(kept.tokenizer)
            return {**self._proven(self._teacher(kept.kept), place), "tokens": len(kept.kept)}

        return stage(self.work.folder / CUT, [self.tuned.key, GENERAL], make, self.work.say)

    def shallow(self, layers: int, before: Finished) -> Finished | None:
        """A student of so many layers; None where that is no fewer than there are, or they cannot be told."""
        name = f"{LAYERS}{layers}"
        if layers >= self._layers():
            self.work.say(f"{name} left out: the base model has {self._layers()} layers.")
            return None

        def make(place: Path) -> dict[str, Any]:
            from edgewise.learning.distill.shrinking import with_layers  # noqa: PLC0415 - torch

            teacher = self._of_cut()
            return self._learned(teacher, with_layers(teacher, layers), name, place)

        return stage(self.work.folder / name, [before.key, layers, *self._given()], make, self.work.say)

    def static(self, before: Finished) -> Finished:
        """A student without a transformer."""

        def make(place: Path) -> dict[str, Any]:
            from edgewise.learning.distill.static import fresh_static  # noqa: PLC0415 - torch

            teacher = self._of_cut()
            first, last = open_tokenizer(self.work.folder / CUT / TOKENIZER, 2).encode("").ids
            tokens = int(teacher.backbone.config.vocab_size)
            student = fresh_static(teacher, tokens, (first, last), len(self.work.labels))
            return self._learned(teacher, student, STATIC, place)

        return stage(self.work.folder / STATIC, [before.key, STATIC, *self._given()], make, self.work.say)

    @property
    def _tokenizer(self) -> Path:
        return self.work.folder / TRAINED / TOKENIZER

    def _layers(self) -> int:
        config = msgspec.json.decode((self.work.folder / TRAINED / "config.json").read_bytes())
        return int(config.get("num_hidden_layers") or config.get("n_layers") or 0)

    def _given(self) -> list[Any]:
        options = self.work.options
        teaching = msgspec.to_builtins(options.teaching)
        del teaching["layers"], teaching["static"]
        return [fingerprint(self.work.parts.train), teaching, options.seed, options.threads]

    def _teacher(self, kept: tuple[int, ...]) -> TextClassifier:
        from edgewise.learning.distill.network import load  # noqa: PLC0415 - torch
        from edgewise.learning.distill.shrinking import with_vocabulary  # noqa: PLC0415 - torch

        trained = load(self.work.folder / TRAINED, len(self.work.labels))
        return with_vocabulary(trained, kept, self.work.options.most_tokens)

    def _of_cut(self) -> TextClassifier:
        kept = cut(self._tokenizer, self.work.parts.train.texts, self.work.options.most_tokens)
        return self._teacher(kept.kept)

    def _learned(self, teacher: TextClassifier, student: Any, name: str, place: Path) -> dict[str, Any]:
        from edgewise.learning.distill.teaching import teach, teach_static  # noqa: PLC0415 - torch

        shutil.copyfile(self.work.folder / CUT / TOKENIZER, place / TOKENIZER)
        how: Callable[..., dict[str, Any]] = teach_static if name == STATIC else teach
        facts = how(teacher, student, self._lesson(place / TOKENIZER), name, self.work.say)
        return {**facts, **self._proven(student, place)}

    def _lesson(self, path: Path) -> Lesson:
        from edgewise.learning.distill.finetune import Lesson, Rows  # noqa: PLC0415 - torch

        work = self.work
        tokenizer = open_tokenizer(path, work.options.most_tokens)
        column = {name: number for number, name in enumerate(work.labels)}

        def rows(table: LabelledTable) -> Rows:
            return Rows(token_ids(tokenizer, table.texts), [column[label] for label in table.labels])

        parts = work.parts
        return Lesson(rows(parts.train), rows(parts.validation), len(column), work.options)

    def _proven(self, network: Any, place: Path) -> dict[str, Any]:
        from edgewise.learning.distill.exporting import proven  # noqa: PLC0415 - torch

        work = self.work
        return proven(
            network, place / TOKENIZER, work.options.most_tokens, work.parts.validation.texts, place
        )
