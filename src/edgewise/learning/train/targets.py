"""From a table to what learners take: targets, weights, clusters, labels."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.learning.tables import utilities
from edgewise.policies.learners.protocol import Training

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.policies.objectives import Objective

    Doubles = NDArray[np.float64]

MOST_WEIGHT = 50.0


@dataclass(frozen=True, slots=True)
class Targets:
    """A table as matrices (n, c): the objective's own `value`, and each metric that was measured.

    `counts` says how often a candidate was measured on a prompt; `weights` is the same, for logged choices
    over their propensity.
    """

    value: Doubles
    metrics: dict[str, Doubles]
    weights: Doubles
    counts: Doubles
    clusters: NDArray[np.int64]
    labels: NDArray[np.int64]

    def training(self, features: Described, targets: Doubles, seed: int) -> Training:
        """One head's training set."""
        return Training(features, targets, self.weights, self.clusters, self.labels, seed)


def targets_of(table: OutcomeTable, objective: Objective) -> Targets:
    """The table's matrices. Raises `TableError` where the objective needs what was not measured."""
    metrics = {
        name: table.metric(name)
        for name in ("quality", "reward", "latency_s", "output_tokens", "energy_j")
        if table.has(name)
    }
    costs = table.costs()
    if costs is not None:
        metrics["cost_usd"] = costs
    missing = [name for name in objective.needs if name not in metrics]
    if missing:
        raise TableError(
            f"The objective '{objective.name}' needs {', '.join(missing)}; "
            f"the table has {', '.join(metrics) or 'neither'}."
        )
    _, clusters = np.unique(np.array(table.keys), return_inverse=True)
    return Targets(
        value=utilities(table, objective),
        metrics=metrics,
        weights=_weights(table),
        counts=table.repeats.astype(np.float64),
        clusters=clusters.astype(np.int64),
        labels=_labels(table),
    )


def fingerprint(table: OutcomeTable, value: Doubles) -> str:
    """A hash of prompts and targets that does not depend on the rows' order."""
    rows = sorted(
        f"{key}:{','.join(f'{v:.9g}' for v in row)}" for key, row in zip(table.keys, value, strict=True)
    )
    return sha256("\n".join([",".join(table.candidates), *rows]).encode()).hexdigest()


def _weights(table: OutcomeTable) -> Doubles:
    """Repeated measurements count by number, logged choices by the bounded inverse of their propensity."""
    weights = table.repeats.astype(np.float64)
    if table.is_bandit:
        propensity = np.nan_to_num(table.metric("propensity"), nan=1.0).clip(1e-6, 1.0)
        weights = weights * np.minimum(1.0 / propensity, MOST_WEIGHT)
    return weights


def _labels(table: OutcomeTable) -> NDArray[np.int64]:
    if not table.groups:
        return np.full(len(table), -1, np.int64)
    names = sorted({group for group in table.groups if group})
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(group or "", -1) for group in table.groups], np.int64)
