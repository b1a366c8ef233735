"""The k nearest labelled prompts, weighted alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.policies.learners.protocol import means, parts
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Fitted: every training vector (n, d) and what it earned; unseen targets weigh 0."""

    centre: Floats
    vectors: Floats
    targets: Floats
    weights: Floats
    base: Floats
    k: NDArray[np.int64]

    def predict(self, features: Described) -> Floats:
        """Mean target of the `k` nearest, (n, c), one pseudo-row of the overall mean added."""
        x = _unit(features.vectors - self.centre)
        out = np.empty((len(x), self.targets.shape[1]), np.float32)
        for start in range(0, len(x), 1024):
            near = x[start : start + 1024] @ self.vectors.T
            out[start : start + 1024] = self._average(near)
        return out

    def _average(self, near: Floats) -> Floats:
        k = min(int(self.k), near.shape[1])
        rows = np.argpartition(-near, k - 1, axis=1)[:, :k]
        weight = self.weights[rows]
        total = (weight * self.targets[rows]).sum(1) + self.base
        return np.asarray(total / (weight.sum(1) + 1.0), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Six arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Neighbours:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def _unit(x: Floats) -> Floats:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class NeighbourLearner:
    """Learner of `Neighbours`; `k` shrinks to a fifth of the prompts where they are few."""

    k: int = 100

    @one_thread()
    def fit(self, data: Training) -> Neighbours:
        """Learn from `data`."""
        centre = data.features.vectors.mean(0)
        seen = np.where(np.isnan(data.targets), 0.0, data.weights)
        scale = float(seen[seen > 0].mean()) if seen.any() else 1.0
        k = np.array(max(1, min(self.k, len(data) // 5)), np.int64)
        return Neighbours(
            centre,
            _unit(data.features.vectors - centre),
            np.nan_to_num(data.targets).astype(np.float32),
            (seen / scale).astype(np.float32),
            means(data.targets, data.weights).astype(np.float32),
            k,
        )

    def cross_fit(self, data: Training, fold: NDArray[np.int64] | None) -> tuple[Neighbours, Doubles]:
        """The rule, and its forecasts (n, c) on rows held out by `fold`."""
        held = np.zeros(data.targets.shape)
        for out, rest in parts(fold):
            held[out] = self.fit(data.take(rest)).predict(data.features.take(out))
        return self.fit(data), held
