"""The public tables as learners take them, and the figures of merit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewise.features.described import describer
from edgewise.learning.evaluate.measures import deferral
from edgewise.learning.tables import Layout, read_table
from edgewise.learning.tables.splits import folds
from edgewise.learning.train.targets import targets_of
from edgewise.policies.objectives import Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable
    from edgewise.policies.learners.protocol import Training

    Doubles = NDArray[np.float64]
    Rows = NDArray[np.intp]

DATA = Path(os.environ.get("EDGEWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
PLACEMENT = Layout(wide={"edge": "edge_qos", "cloud": "cloud_qos"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A table with its features: `training` of all rows."""

    table: OutcomeTable
    training: Training

    @property
    def targets(self) -> Doubles:
        """(n, c) what is learned."""
        return self.training.targets

    @property
    def weights(self) -> Doubles:
        """(n,) how often each prompt stands in the table."""
        return self.training.weights[:, 0]

    def parts(self, count: int, seed: int) -> list[tuple[Rows, Rows]]:
        """(training rows, test rows) of each fold by prompt."""
        return _parts(folds(self.table.keys, count, seed), count)

    def groups(self, count: int, seed: int) -> list[tuple[Rows, Rows]]:
        """The same by task: no task stands on both sides."""
        return _parts(folds([group or "" for group in self.table.groups], count, seed), count)


def _parts(fold: NDArray[np.int64], count: int) -> list[tuple[Rows, Rows]]:
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(count)]


def problem(
    path: str, layout: Layout | None = None, objective: str = "quality-at-cost", how: str = "static"
) -> Problem:
    """Read `path` under the data folder."""
    table = read_table(DATA / path, layout or Layout())
    targets = targets_of(table, Objective(objective))
    return Problem(table, targets.training(describer(how)(table.prompts), targets.value, 0))


def apgr(said: Doubles, truth: Doubles, weights: Doubles) -> float:
    """Average performance gap recovered, two candidates; the better one overall is the strong."""
    weak, strong = np.argsort(np.average(truth, axis=0, weights=weights))
    gain = said[:, strong] - said[:, weak]
    return deferral(gain, truth[:, weak], truth[:, strong], weights).apgr


def realised(said: Doubles, truth: Doubles, weights: Doubles) -> float:
    """Mean outcome of the choices."""
    return float(np.average(truth[np.arange(len(truth)), said.argmax(1)], weights=weights))


def gap_closed(said: Doubles, truth: Doubles, weights: Doubles, single: int) -> float:
    """Share of the way from the candidate `single` to the oracle."""
    base = np.average(truth[:, single], weights=weights)
    best = np.average(truth.max(1), weights=weights)
    return float((realised(said, truth, weights) - base) / (best - base))
