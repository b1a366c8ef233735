"""`edgewise distill --max-loss`: from options to what is promised, and the promise in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edgewise.cli.console import err
from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from edgewise.learning.distill.guarding import Cloud, Guarding
    from edgewise.learning.distill.labelled import LabelledTable
    from edgewise.learning.distill.parts import Parts
    from edgewise.policies.cascade.placing import Placing


class Promised(NamedTuple):
    """The options that belong together, as they were given."""

    max_loss: float | None
    confidence: float
    calibration: Path | None
    cloud: str | None
    out_of_scope: str | None
    in_scope: float

    def guarding(
        self, parts: Parts, tables: tuple[Path, Path | None], columns: tuple[str, str], seed: int
    ) -> tuple[Parts, Guarding]:
        """What is trained on, and what is promised. Raises `RequestError` and `TableError`."""
        from edgewise.learning.cascade.fitting import Guard  # noqa: PLC0415 - numpy
        from edgewise.learning.distill.guarding import Guarding, spared  # noqa: PLC0415 - the same

        self._check()
        cloud = self._cloud(parts, tables[0], columns[0])
        beyond = self._beyond(columns[0])
        guard = Guard(self.max_loss or Guard().max_loss, self.confidence, self.in_scope, seed)
        if self.max_loss is None:
            return parts, Guarding(guard, None, cloud, beyond)
        if self.calibration is None:
            parts, kept = spared(parts, seed)
        else:
            kept = self._kept(self.calibration, parts, columns)
        return parts, Guarding(guard, kept, cloud, beyond)

    def _check(self) -> None:
        if self.max_loss is None and self.calibration is not None:
            raise RequestError("--calibration is what a bound is proven on; say which: --max-loss 0.01.")
        for name, value in (("--max-loss", self.max_loss), ("--confidence", self.confidence)):
            if value is not None and not 0.0 < value < 1.0:
                raise RequestError(
                    f"{name} is {value:g}; nothing but a number between 0 and 1 can be proven."
                )
        if not self.in_scope > 0.0:
            raise RequestError("--in-scope is 0: every text would be taken for strange; try 0.98.")

    def _kept(self, calibration: Path, parts: Parts, columns: tuple[str, str]) -> LabelledTable:
        from edgewise.learning.distill.labelled import read_held_out  # noqa: PLC0415 - as above

        kept = read_held_out(calibration, parts.train, *columns)
        known = {*parts.validation.keys, *parts.test.keys}  # what chose the weights proves nothing
        fresh = [row for row, key in enumerate(kept.keys) if key not in known]
        if not fresh:
            raise RequestError(
                f"Every text of {calibration.name} is trained on, chosen by or tested on; give other texts."
            )
        for note in kept.notes:
            err(note)
        return kept.rows(fresh)

    def _cloud(self, parts: Parts, table: Path, text_column: str) -> Cloud | None:
        from edgewise.learning.distill.guarding import bundle_cloud, column_cloud  # noqa: PLC0415 - as above

        if self.cloud is None:
            return None
        if Path(self.cloud).is_dir():
            return bundle_cloud(Path(self.cloud))
        tables = [table, *([] if self.calibration is None else [self.calibration])]
        return column_cloud(self.cloud, text_column, tables, parts.train.names)

    def _beyond(self, column: str) -> list[str]:
        if self.out_of_scope is None:
            return []
        from edgewise.cli.text_rows import text_rows  # noqa: PLC0415 - csv and tables, when needed

        found = [text for text, _ in text_rows(self.out_of_scope, column) if text.strip()]
        if not found:
            raise RequestError(f"{self.out_of_scope} has no text; --out-of-scope reads texts about no label.")
        return found


def told(placing: Placing) -> str:
    """What is promised of a cascade, in a sentence."""
    if placing.promise is None:
        return "Nothing is promised of the cascade; a bound on the accuracy lost takes --max-loss."
    return placing.promise.sentence
