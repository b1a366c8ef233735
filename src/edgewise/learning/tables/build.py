"""Rows → matrices, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.learning.tables.columns import UNITS, Columns
from edgewise.learning.tables.splits import prompt_key
from edgewise.learning.tables.table import CRITICALITIES, METRICS, OutcomeTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgewise.domain.candidates import Location
    from edgewise.learning.tables.layout import Layout

KEY_SPACE = 16**12
MOST_CANDIDATES = 500
MANY_REPEATS = (
    64  # measurements of one prompt and candidate are then folded into a few numbers of the same sum
)


class _Means:
    """Means by name: exact, so that the order of rows does not matter, in memory that repeats do not fill."""

    __slots__ = ("folded", "sums")

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {}
        self.folded: dict[str, int] | None = None

    def put(self, name: str, value: float) -> None:
        values = self.sums.setdefault(name, [])
        values.append(value)
        if len(values) >= MANY_REPEATS:
            self.sums[name] = exact_parts(values)
            self.folded = {} if self.folded is None else self.folded
            self.folded[name] = self.folded.get(name, 0) + len(values) - len(self.sums[name])

    def mean(self, name: str) -> float:
        values = self.sums.get(name)
        if not values:
            return math.nan
        return math.fsum(values) / (len(values) + (self.folded or {}).get(name, 0))


class _Cell(_Means):
    """What was measured of one prompt and candidate."""

    __slots__ = ("count", "response")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.response: str | None = None

    def add(self, values: Mapping[str, float], response: str) -> None:
        self.count += 1
        for name, value in values.items():
            self.put(name, value)
        self.response = response or self.response


class _Prompt(_Means):
    """What was measured of one prompt; its own means are of its criticality."""

    __slots__ = ("cells", "group", "key")

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.cells: dict[str, _Cell] = {}
        self.group = ""


class Builder:
    """Collects rows.

    Past the layout's `most_prompts` it keeps the prompts with the lowest hashes: a random sample that does
    not depend on the rows' order and keeps all rows of a prompt together.
    """

    def __init__(self, layout: Layout, name: str, names: list[str]) -> None:
        self._layout, self._name = layout, name
        self._columns = Columns(layout, name, names)
        self._metrics = [(n, *UNITS.get(n, (n, 1.0))) for n in (*METRICS, *UNITS) if n in self._columns.of]
        self._prompts: dict[str, _Prompt] = {}
        self._locations: dict[str, Location] = {}
        self._names: dict[str, None] = {}
        self._limit = KEY_SPACE
        self._rows = self._sampled = 0
        self._left: Counter[str] = Counter()

    def add(self, row: Mapping[str, Any], number: int) -> None:
        """Take one row; `number` counts from 1 and stands in errors."""
        self._rows += 1
        text = self._columns.prompt(row)
        if not text.strip():
            self._left["rows have no prompt and are left out"] += 1
            return
        prompt = self._prompts.get(text) or _Prompt(prompt_key(text))
        if int(prompt.key[:12], 16) >= self._limit:
            self._sampled += 1
            return
        took = self._wide(row, prompt, number) if self._columns.wide else self._long(row, prompt, number)
        if not took:
            return
        self._prompts[text] = prompt
        self._about(row, prompt, number)
        while len(self._prompts) > self._layout.most_prompts:
            self._halve()

    def table(self) -> OutcomeTable:
        """What was collected, or `TableError` where that is nothing."""
        if not self._prompts:
            why = f": {self._left_out()[0]}" if self._left else "."
            raise TableError(f"{self._name} has no row that can be used ({self._rows:,} were read){why}")
        candidates = tuple(c for c in self._ordered() if any(c in p.cells for p in self._prompts.values()))
        self._check_edge(candidates)
        found = list(self._prompts.values())
        metrics = {name: _matrix(name, found, candidates) for name in METRICS}
        responses = {
            c: tuple(p.cells[c].response if c in p.cells else None for p in found) for c in candidates
        }
        return OutcomeTable(
            prompts=tuple(self._prompts),
            keys=tuple(p.key for p in found),
            candidates=candidates,
            metrics={name: values for name, values in metrics.items() if not np.isnan(values).all()},
            repeats=np.array([[p.cells[c].count if c in p.cells else 0 for c in candidates] for p in found]),
            locations={c: self._location(c) for c in candidates},
            criticality=_criticality(found),
            groups=tuple(p.group or None for p in found) if any(p.group for p in found) else (),
            responses={c: texts for c, texts in responses.items() if any(texts)},
            notes=tuple(self._notes(candidates)),
        )

    def _long(self, row: Mapping[str, Any], prompt: _Prompt, number: int) -> bool:
        candidate = self._columns.text(row, "candidate").strip()
        if not candidate:
            self._left["rows have no candidate and are left out"] += 1
            return False
        values: dict[str, float] = {}
        for name, ours, _ in self._metrics:
            self._put(values, ours, self._columns.number(row, self._columns.of[name], name, number))
        if "quality" not in values and self._columns.text(row, "status") == "error":
            values["quality"] = 0.0
            self._left["rows are failed calls and count as quality 0"] += 1
        if "quality" not in values and "reward" not in values:
            self._left["rows have no measured quality and are left out"] += 1
            return False
        self._cell(prompt, candidate).add(values, self._columns.text(row, "response"))
        location = self._columns.text(row, "location")
        if location in ("edge", "cloud"):
            self._locations[candidate] = "edge" if location == "edge" else "cloud"
        return True

    def _wide(self, row: Mapping[str, Any], prompt: _Prompt, number: int) -> bool:
        found: dict[str, dict[str, float]] = {}
        answers: dict[str, str] = {}
        for candidate, metric, column in self._columns.wide:
            if metric == "response":
                answers[candidate] = str(row.get(column) or "")
                continue
            values = found.setdefault(candidate, {})
            ours = UNITS.get(metric, (metric, 1.0))[0]
            self._put(values, ours, self._columns.number(row, column, metric, number))
        measured = {c: values for c, values in found.items() if "quality" in values or "reward" in values}
        self._left["cells have no measured quality and are left out"] += len(found) - len(measured)
        for candidate, values in measured.items():
            self._cell(prompt, candidate).add(values, answers.get(candidate, ""))
        return bool(measured)

    def _put(self, values: dict[str, float], ours: str, value: float | None) -> None:
        if value is None:
            return
        if math.isnan(value):
            self._left[f"values of `{ours}` are NaN and count as not measured"] += 1
            return
        values[ours] = value

    def _cell(self, prompt: _Prompt, candidate: str) -> _Cell:
        if candidate not in self._names:
            self._names[candidate] = None
            if len(self._names) > MOST_CANDIDATES:
                raise TableError(
                    f"{self._name} names over {MOST_CANDIDATES} candidates; say which column holds them: "
                    "--columns candidate=NAME."
                )
        return prompt.cells.setdefault(candidate, _Cell())

    def _about(self, row: Mapping[str, Any], prompt: _Prompt, number: int) -> None:
        prompt.group = self._columns.text(row, "group") or prompt.group
        for name in CRITICALITIES:
            column = self._columns.of.get(name)
            value = self._columns.number(row, column, name, number) if column else None
            if value is not None and not math.isnan(value):
                prompt.put(name, value)

    def _halve(self) -> None:
        self._limit //= 2
        for text in [t for t, p in self._prompts.items() if int(p.key[:12], 16) >= self._limit]:
            self._sampled += sum(cell.count for cell in self._prompts.pop(text).cells.values())

    def _ordered(self) -> tuple[str, ...]:
        """A wide table's candidates as they were named, a long one's by name: rows may come in any order."""
        if self._columns.wide:
            return tuple(dict.fromkeys(candidate for candidate, _, _ in self._columns.wide))
        return tuple(sorted(self._names))

    def _check_edge(self, candidates: tuple[str, ...]) -> None:
        for edge in self._layout.edge:
            if edge not in candidates:
                raise TableError(f"--edge names '{edge}', but the table has {', '.join(candidates)}.")

    def _location(self, candidate: str) -> Location:
        if candidate in self._layout.edge or candidate == "edge":
            return "edge"
        return self._locations.get(candidate, "cloud")

    def _left_out(self) -> list[str]:
        return [f"{count:,} {what}." for what, count in self._left.items() if count]

    def _notes(self, candidates: tuple[str, ...]) -> list[str]:
        cells = [cell for p in self._prompts.values() for cell in p.cells.values()]
        notes = self._left_out()
        if repeated := sum(cell.count - 1 for cell in cells):
            notes.append(
                f"{repeated:,} rows repeat a prompt and candidate: "
                "they are averaged as repeated measurements."
            )
        pairs = len(self._prompts) * len(candidates)
        if missing := pairs - len(cells):
            notes.append(f"{missing:,} of {pairs:,} pairs of prompt and candidate were not measured.")
        if self._sampled:
            notes.append(
                f"The table is large: {len(self._prompts):,} prompts, drawn by hash, were kept; "
                f"{self._sampled:,} of {self._rows:,} rows were left out."
            )
        return notes


def _matrix(name: str, prompts: list[_Prompt], candidates: tuple[str, ...]) -> NDArray[np.float64]:
    found = np.full((len(prompts), len(candidates)), np.nan)
    for i, prompt in enumerate(prompts):
        for j, candidate in enumerate(candidates):
            if candidate in prompt.cells:
                found[i, j] = prompt.cells[candidate].mean(name)
    return found


def _criticality(prompts: list[_Prompt]) -> dict[str, NDArray[np.float64]]:
    return {
        name: np.array([p.mean(name) for p in prompts])
        for name in CRITICALITIES
        if any(name in p.sums for p in prompts)
    }


def exact_parts(values: list[float]) -> list[float]:
    """A few numbers with exactly the same sum.

    Source: Shewchuk 1997, "Adaptive precision floating-point arithmetic and fast robust predicates".
    """
    parts: list[float] = []
    for value in values:
        rest, kept = value, 0
        for part in parts:
            large, small = (rest, part) if abs(rest) >= abs(part) else (part, rest)
            rest = large + small
            if error := small - (rest - large):
                parts[kept] = error
                kept += 1
        parts[kept:] = [rest]
    return parts
