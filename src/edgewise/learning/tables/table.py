"""A table of outcomes in memory: one row a prompt, one column a candidate, one matrix a metric."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.candidates import Location

METRICS = (
    "quality",
    "reward",
    "latency_s",
    "cost_usd",
    "energy_j",
    "usd_per_mtok",
    "input_tokens",
    "output_tokens",
    "propensity",
)
CRITICALITIES = ("mission_criticality", "time_criticality")


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """n prompts by m candidates.

    `metrics[name]` is (n, m) float64, NaN where nothing was measured; repeated measurements of one prompt
    and candidate are averaged, and counted in `repeats` (n, m). `keys` are prompt hashes, by which every
    split goes. `criticality` holds (n,) columns on a scale of 0 to 10. `notes` are sentences about what
    was found while reading.
    """

    prompts: tuple[str, ...]
    keys: tuple[str, ...]
    candidates: tuple[str, ...]
    metrics: Mapping[str, NDArray[np.float64]]
    repeats: NDArray[np.int64]
    locations: Mapping[str, Location] = field(default_factory=dict[str, "Location"])
    criticality: Mapping[str, NDArray[np.float64]] = field(default_factory=dict[str, "NDArray[np.float64]"])
    groups: tuple[str | None, ...] = ()
    responses: Mapping[str, tuple[str | None, ...]] = field(
        default_factory=dict[str, "tuple[str | None, ...]"]
    )
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def is_bandit(self) -> bool:
        """Whether this is logged traffic: one candidate's row a prompt, with the propensity of its choice."""
        return "propensity" in self.metrics

    def metric(self, name: str) -> NDArray[np.float64]:
        """A metric's (n, m) matrix; all NaN where the table has no such column."""
        found = self.metrics.get(name)
        return np.full((len(self), len(self.candidates)), np.nan) if found is None else found

    def has(self, name: str) -> bool:
        """Whether any value of a metric was measured."""
        return name in self.metrics

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]) -> OutcomeTable:
        """The same table with these prompts only."""
        index: list[int] = np.arange(len(self))[rows].tolist()
        return replace(
            self,
            prompts=tuple(self.prompts[i] for i in index),
            keys=tuple(self.keys[i] for i in index),
            metrics={name: values[index] for name, values in self.metrics.items()},
            repeats=self.repeats[index],
            criticality={name: values[index] for name, values in self.criticality.items()},
            groups=tuple(self.groups[i] for i in index) if self.groups else (),
            responses={c: tuple(texts[i] for i in index) for c, texts in self.responses.items()},
        )

    def only(self, candidates: Sequence[str]) -> OutcomeTable:
        """The same table with these of its candidates, in this order."""
        columns = [self.candidates.index(candidate) for candidate in candidates]
        return replace(
            self,
            candidates=tuple(candidates),
            metrics={name: values[:, columns] for name, values in self.metrics.items()},
            repeats=self.repeats[:, columns],
            locations={c: self.locations[c] for c in candidates if c in self.locations},
            responses={c: self.responses[c] for c in candidates if c in self.responses},
        )

    def costs(self) -> NDArray[np.float64] | None:
        """USD a call (n, m): measured, or from a list price and tokens; None where the table has neither.

        Without token counts a price per million tokens stands for 1,000 tokens a call, which keeps the
        candidates' order and ratios.
        """
        if self.has("cost_usd"):
            return self.metric("cost_usd")
        if not self.has("usd_per_mtok"):
            return None
        tokens = np.nan_to_num(self.metric("input_tokens")) + np.nan_to_num(self.metric("output_tokens"))
        tokens[tokens == 0] = 1000.0
        return self.metric("usd_per_mtok") * tokens / 1e6

    def edge(self) -> tuple[str, ...]:
        """The candidates at the edge."""
        return tuple(c for c in self.candidates if self.locations.get(c) == "edge")

    def checked(self) -> OutcomeTable:
        """The table itself, or `TableError` where nothing can be learned from it."""
        if len(self.candidates) < 2:  # noqa: PLR2004 - a choice needs two
            only = ", ".join(self.candidates)
            raise TableError(f"The table has one candidate only ({only}); a choice needs at least two.")
        if not (self.has("quality") or self.has("reward")):
            raise TableError("The table has no `quality` and no `reward`; there is nothing to learn from.")
        return self
