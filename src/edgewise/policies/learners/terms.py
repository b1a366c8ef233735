"""Ridge on hashed TF-IDF of tokens and pairs; strongest where labels are few.

Solved in its dual form by conjugate gradients on sparse rows; what is kept is
one weight a bucket and candidate, and nothing that could be read back as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.protocol import folds, means, parts
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training


BUCKETS: Final = 1 << 16
PENALTIES: Final = (3.0, 10.0, 30.0)
STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class TermRule:
    """`slopes` (buckets, c) on TF-IDF rows of length one; `rarity` (buckets,) is the IDF."""

    rarity: Floats
    slopes: Floats
    intercepts: Floats

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        out = np.empty((len(features), len(self.intercepts)), np.float32)
        for row in range(len(features)):
            found = features.terms[features.bounds[row] : features.bounds[row + 1]]
            names, counts = np.unique(found, return_counts=True)
            value = (1.0 + np.log(counts)).astype(np.float32) * self.rarity[names]
            size = float(value @ value) ** 0.5
            out[row] = value @ self.slopes[names] / max(size, 1e-9)
        return out + self.intercepts

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Three arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> TermRule:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class TermLearner:
    """Learner of `TermRule`; the penalty is chosen on the folds."""

    penalties: tuple[float, ...] = PENALTIES

    def fit(self, data: Training) -> TermRule:
        """Learn from `data` (five folds by prompt choose the penalty)."""
        return self.cross_fit(data, folds(data.clusters, 5, data.seed))[0]

    @one_thread()
    def cross_fit(self, data: Training, fold: NDArray[np.int64]) -> tuple[TermRule, Doubles]:
        """The rule, and its forecasts (n, c) on rows held out by `fold`."""
        bags, rarity = _bags(data.features)
        # Only differences between candidates decide; a prompt's level would ask for too light a penalty.
        choosing = data.targets.shape[1] > 1 and not np.isnan(data.targets).any()
        best, held, penalty = np.inf, np.zeros(data.targets.shape), self.penalties[-1]
        for tried in self.penalties:
            guess = _held_out(bags, data, fold, tried)
            miss = np.where(np.isnan(data.targets), 0.0, guess - np.nan_to_num(data.targets))
            if choosing:
                miss -= miss.mean(1, keepdims=True)
            error = float((data.weights * miss * miss).sum())
            if error < best:
                best, held, penalty = error, guess, tried
        base = means(data.targets, data.weights)
        slopes: Doubles = np.asarray(bags.T @ _dual(bags, data, base, penalty), np.float64)
        return TermRule(rarity, slopes.astype(np.float32), base.astype(np.float32)), held


def _held_out(bags: Any, data: Training, fold: NDArray[np.int64], penalty: float) -> Doubles:
    held = np.zeros(data.targets.shape)
    for out, rest in parts(fold):
        part = data.take(rest)
        mine: Any = bags[rest]
        base = means(part.targets, part.weights)
        held[out] = bags[out] @ (mine.T @ _dual(mine, part, base, penalty)) + base
    return held


def _dual(bags: Any, data: Training, base: Doubles, penalty: float) -> Doubles:
    """Dual weights (n, c) of the ridge, by conjugate gradients on all outputs at once.

    With root weights s, (s K s + penalty) z = s (y - base) and the dual is s z;
    a target that was not seen has s = 0 and so stays out.
    """
    seen = np.where(np.isnan(data.targets), 0.0, data.weights)
    root = np.sqrt(seen / np.maximum(_mean_positive(seen), 1e-12))
    residual = root * (np.nan_to_num(data.targets) - base)
    back: Any = bags.T.tocsr()
    z, step, size = np.zeros_like(residual), residual.copy(), (residual * residual).sum(0)
    for _ in range(STEPS):
        image: Doubles = root * (bags @ (back @ (root * step))) + penalty * step
        length = size / np.maximum((step * image).sum(0), 1e-12)
        z += step * length
        residual = residual - image * length
        new = (residual * residual).sum(0)
        step = residual + step * (new / np.maximum(size, 1e-12))
        size = new
    return np.asarray(root * z, np.float64)


def _mean_positive(seen: Doubles) -> Doubles:
    return np.asarray(seen.sum(0) / np.maximum((seen > 0).sum(0), 1), np.float64)


def _bags(features: Described) -> tuple[Any, Floats]:
    """TF-IDF rows of length one (n, buckets; sparse), and the IDF of each bucket."""
    from scipy import sparse  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - serving never needs it

    n = len(features)
    row = np.repeat(np.arange(n), np.diff(features.bounds))
    cell, counts = np.unique(row * BUCKETS + features.terms, return_counts=True)
    row, name = cell // BUCKETS, cell % BUCKETS
    among = np.bincount(name, minlength=BUCKETS)
    rarity = (np.log((1 + n) / (1 + among)) + 1).astype(np.float32)
    value = (1.0 + np.log(counts)) * rarity[name]
    size = np.sqrt(np.bincount(row, value * value, minlength=n))
    value = value / np.maximum(size[row], 1e-9)
    return sparse.csr_matrix((value, (row, name)), shape=(n, BUCKETS)), rarity
