"""What every learner takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Training:
    """Outcomes of `n` prompts under `c` candidates.

    `targets` (n, c) has NaN where a candidate was not asked; `weights` (n, c)
    counts measurements, or is 1 / propensity for logged choices. `clusters`
    (n,) names the prompt (equal after white space is normalised): folds never
    cut one. `labels` (n,) names the task, -1 where it has none; they help in
    training and are not needed to predict.
    """

    features: Described
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]
    clusters: NDArray[np.int64]
    labels: NDArray[np.int64]
    seed: int = 0

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: NDArray[np.intp]) -> Training:
        """Some of the prompts."""
        return replace(
            self,
            features=self.features.take(rows),
            targets=self.targets[rows],
            weights=self.weights[rows],
            clusters=self.clusters[rows],
            labels=self.labels[rows],
        )


class Fitted(Protocol):
    """A trained learner; frozen."""

    def predict(self, features: Described) -> NDArray[np.float32]:
        """Expected target of each text under each candidate, (n, c)."""
        ...

    def arrays(self) -> Arrays:
        """Everything that `from_arrays` needs to build it again."""
        ...


class Learner(Protocol):
    """Outcomes → a fitted learner; the same outcomes and seed give the same bytes."""

    def fit(self, data: Training) -> Fitted:
        """Learn from `data`."""
        ...


def folds(clusters: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Fold of each row; rows of one cluster share it and sizes are even."""
    names, member = np.unique(clusters, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % count
    return np.asarray(dealt[member], np.int64)


def parts(fold: NDArray[np.int64] | None) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows held out and the rest, fold by fold; none for no folds."""
    if fold is None:
        return
    for number in range(int(fold.max()) + 1):
        out = fold == number
        if out.any() and not out.all():
            yield np.flatnonzero(out), np.flatnonzero(~out)


def means(targets: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted mean of what was observed, a candidate: (c,); .5 where nothing was."""
    seen = np.where(np.isnan(targets), 0.0, weights)
    total = seen.sum(0)
    out = (seen * np.nan_to_num(targets)).sum(0)
    return np.where(total > 0, out / np.maximum(total, 1e-12), 0.5)
