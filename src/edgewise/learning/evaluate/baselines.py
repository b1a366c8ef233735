"""What a learned policy must beat: chance, a candidate alone, the best of them, a label, a prompt's length.

Every baseline is fitted on a training part and chooses for prompts outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.tables import folds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable

    Floats = NDArray[np.float64]

LENGTH_BINS = 12
FEWEST = 5
NEIGHBOURS = 100
INNER_FOLDS = 3
RANDOM, BEST_SINGLE, CHEAPEST, LENGTH, LABEL, KNN = (
    "random", "best single", "cheapest", "prompt length", "task label", "kNN-100"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """n prompts with their utility (n, m) and vectors (n, d)."""

    table: OutcomeTable
    gain: Floats
    vectors: NDArray[np.float32]

    def take(self, rows: NDArray[np.intp]) -> Part:
        """Some of the prompts."""
        return Part(self.table.take(rows), self.gain[rows], self.vectors[rows])


@dataclass(frozen=True, slots=True)
class Choices:
    """How one policy chooses on n prompts: `odds` (n, m), and the `scores` (n, m) behind them, if any."""

    odds: Floats
    scores: Floats | None = None


def baselines(train: Part, test: Part) -> dict[str, Choices]:
    """The baselines' choices by name. Nothing of the test part but its prompts and labels is looked at."""
    count, width = len(test.table), len(test.table.candidates)
    mean = means(train.gain)
    found = {RANDOM: Choices(np.full((count, width), 1.0 / width))}
    for number, candidate in enumerate(test.table.candidates):
        found[f"always {candidate}"] = _always(number, count, width)
    found[BEST_SINGLE] = _always(int(mean.argmax()), count, width)
    costs = train.table.costs()
    if costs is not None:
        found[CHEAPEST] = _always(int(np.nanargmin(means(costs, np.inf))), count, width)
    for name, score in _scorers(train, test).items():
        scores = score(train, test, mean)
        found[name] = Choices(chosen(scores), scores)
    return found


def best_baseline(train: Part, names: Mapping[str, object], seed: int) -> str:
    """The baseline that does best inside the training part, each judged on prompts it was not fitted on.

    Chance is none, and a constant wins a tie: simpler is better.
    """
    fold = folds(train.table.keys, INNER_FOLDS, seed)
    total = dict.fromkeys((n for n in names if n not in {RANDOM, BEST_SINGLE}), 0.0)
    for number in range(INNER_FOLDS):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if not len(out) or not len(rest):
            continue
        inner = baselines(train.take(rest), train.take(out))
        for name in total:
            total[name] += float(np.nansum(inner[name].odds * train.gain[out]))
    return max(total, key=lambda name: (round(total[name], 9), name.startswith("always ")))


def chosen(scores: Floats) -> Floats:
    """All the weight on the highest score (n, m); shared evenly where several are highest."""
    best = scores == np.nanmax(scores, axis=1, keepdims=True)
    found: Floats = best / best.sum(axis=1, keepdims=True)
    return found


def means(gain: Floats, unknown: float = -np.inf) -> Floats:
    """The mean (m,) of what was measured of each candidate, `unknown` where nothing was."""
    known = ~np.isnan(gain)
    number = known.sum(axis=0)
    total = np.where(known, gain, 0.0).sum(axis=0)
    found: Floats = np.where(number > 0, total / np.maximum(number, 1), unknown)
    return found


def neighbours(train: Part, test: Part, mean: Floats) -> Floats:
    """Mean utility (n_test, m) of the `NEIGHBOURS` nearest training vectors by cosine."""
    k = min(NEIGHBOURS, len(train.table))
    known, value = ~np.isnan(train.gain), np.nan_to_num(train.gain)
    prior = np.where(np.isfinite(mean), mean, 0.0)
    found = np.empty((len(test.table), train.gain.shape[1]))
    for start in range(0, len(found), 512):
        near = test.vectors[start : start + 512] @ train.vectors.T
        rows = np.argpartition(-near, k - 1, axis=1)[:, :k]
        found[start : start + 512] = (value[rows].sum(axis=1) + prior) / (known[rows].sum(axis=1) + 1.0)
    found[:, ~np.isfinite(mean)] = -np.inf
    return found


def _scorers(train: Part, test: Part) -> dict[str, Callable[[Part, Part, Floats], Floats]]:
    found: dict[str, Callable[[Part, Part, Floats], Floats]] = {LENGTH: _by_length, KNN: neighbours}
    if any(train.table.groups) and any(test.table.groups):
        found[LABEL] = _by_label
    return found


def _always(number: int, count: int, width: int) -> Choices:
    odds = np.zeros((count, width))
    odds[:, number] = 1.0
    return Choices(odds)


def _by_length(train: Part, test: Part, mean: Floats) -> Floats:
    lengths, asked = (np.array([float(len(p)) for p in part.table.prompts]) for part in (train, test))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, LENGTH_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, lengths)
    said = np.stack([_mean(train.gain[place == bin_], mean) for bin_ in range(len(edges) + 1)])
    return said[np.searchsorted(edges, asked)]


def _by_label(train: Part, test: Part, mean: Floats) -> Floats:
    known = np.array([label or "" for label in train.table.groups])
    said = {str(label): _mean(train.gain[known == label], mean) for label in np.unique(known)}
    return np.stack([said.get(label or "", mean) for label in test.table.groups])


def _mean(gain: Floats, prior: Floats) -> Floats:
    """The mean (m,), drawn a little towards the overall one."""
    known = ~np.isnan(gain)
    total = np.where(known, gain, 0.0).sum(axis=0) + FEWEST * prior
    found: Floats = total / (known.sum(axis=0) + FEWEST)
    return found
