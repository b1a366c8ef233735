"""Which column of a file holds what, and cells → numbers in our units."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import TableError
from edgewise.features.conversations import prompt_of
from edgewise.learning.tables.layout import ALIASES
from edgewise.learning.tables.table import CRITICALITIES, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.learning.tables.layout import Layout

# What a file may give in another unit → our name for it, and the factor to our unit.
UNITS: Mapping[str, tuple[str, float]] = {"latency_ms": ("latency_s", 0.001)}
TEXTS = ("prompt", "candidate", "location", "group", "response", "status")
ROUNDING = 1e-9
MOST_CRITICAL = 10.0
LARGEST = 1e100  # sums of more would not be finite
LONGEST_SHOWN = 12  # columns that an error lists


class Columns:
    """The columns of one file, or a `TableError` that names the one that is missing."""

    def __init__(self, layout: Layout, file: str, names: list[str]) -> None:
        self._layout, self._file, self._names = layout, file, names
        if not names:
            raise TableError(
                f"{file} is empty; its first line should name columns: prompt, candidate, quality."
            )
        wanted = (*TEXTS, *METRICS, *CRITICALITIES, *UNITS)
        for ours in layout.columns:
            if ours not in wanted:
                raise TableError(
                    f"--columns names '{ours}', which is no column of ours; those are {_some(wanted)}."
                )
        self.of = {ours: found for ours in wanted if (found := self._find(ours)) is not None}
        self.wide = [(*self._split(name), column) for name, column in layout.wide.items()]
        self._check()

    def text(self, row: Mapping[str, Any], ours: str) -> str:
        """A cell as text; empty where there is none."""
        value = row.get(self.of[ours]) if ours in self.of else None
        return "" if value is None else str(value)

    def prompt(self, row: Mapping[str, Any]) -> str:
        """The prompt: a text, or a conversation (JSON, or a list of messages) in its written form."""
        return prompt_of(row.get(self.of["prompt"]))

    def number(self, row: Mapping[str, Any], column: str, ours: str, number: int) -> float | None:
        """A cell in our unit, NaN as it stands, None where it is empty; row `number` is named in errors."""
        value = row.get(column)
        if value is None or value == "":
            return None
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(number, f"`{column}` is {str(value)[:40]!r}, not a number.") from None
        if math.isinf(found):
            raise self._wrong(number, f"`{column}` is infinite.")
        if abs(found) > LARGEST:
            raise self._wrong(number, f"`{column}` is {found:g}, too large to be a measurement.")
        return (
            found
            if math.isnan(found)
            else self._in_range(found * UNITS.get(ours, ("", 1.0))[1], ours, number)
        )

    def _in_range(self, value: float, ours: str, number: int) -> float:
        if ours == "quality":
            scale = self._layout.quality_scale
            if not -ROUNDING <= value / scale <= 1 + ROUNDING:
                hint = "" if scale > 1 else "; give the scale, for example --quality-scale 100"
                raise self._wrong(number, f"quality {value:g} lies outside 0 to {scale:g}{hint}.")
            return min(max(value / scale, 0.0), 1.0)
        if ours == "propensity" and not 0 < value <= 1 + ROUNDING:
            raise self._wrong(number, f"propensity {value:g} is no probability above 0 and up to 1.")
        if ours in CRITICALITIES and not 0 <= value <= MOST_CRITICAL:
            raise self._wrong(number, f"{ours} {value:g} lies outside 0 to 10.")
        if ours != "reward" and value < 0:
            raise self._wrong(number, f"{ours} is negative ({value:g}).")
        return value

    def _wrong(self, number: int, what: str) -> TableError:
        return TableError(f"{self._file}, row {number}: {what}")

    def _find(self, ours: str) -> str | None:
        asked = self._layout.columns.get(ours)
        if asked is not None:
            return self._present(asked)
        return next((name for name in (ours, *ALIASES.get(ours, ())) if name in self._names), None)

    def _present(self, column: str) -> str:
        if column not in self._names:
            raise TableError(f"{self._file} has no column '{column}'; it has {_some(self._names)}.")
        return column

    def _split(self, name: str) -> tuple[str, str]:
        """`edge.latency_ms` → edge and latency_ms; a bare candidate, dots and all, stands for its reward."""
        head, dot, metric = name.rpartition(".")
        known = (*METRICS, *UNITS, "response")
        if dot and metric in known:
            return head, metric
        if dot and (near := get_close_matches(metric, known, n=1, cutoff=0.75)):
            raise TableError(f"--wide names '{name}'; perhaps '{head}.{near[0]}' was meant.")
        return name, "reward"

    def _check(self) -> None:
        for ours in ("prompt",) if self.wide else ("prompt", "candidate"):
            if ours not in self.of:
                raise TableError(
                    f"{self._file} has no column `{ours}`; it has {_some(self._names)}. "
                    f"Say which one it is: --columns {ours}=NAME."
                )
        for _, _, column in self.wide:
            self._present(column)
        measured = {metric for _, metric, _ in self.wide} if self.wide else self.of.keys()
        if not {"quality", "reward"} & set(measured):
            raise TableError(f"{self._file} has neither `quality` nor `reward`; it has {_some(self._names)}.")


def _some(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(str(name) for name in names[:LONGEST_SHOWN])
    return shown if len(names) <= LONGEST_SHOWN else f"{shown} and {len(names) - LONGEST_SHOWN} more"
