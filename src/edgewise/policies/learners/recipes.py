"""The two published learned systems, by name and with their published settings.

*Placement*: one boosted regressor a candidate on the prompt's vector alone
(500 trees of depth 8, rate .03, nine tenths of rows and columns a tree).
*Selection*: one regressor for all, on the vector beside a one-hot column a
candidate (up to 500 trees of depth 10, rate .01, stopped after 10 rounds
without gain on a random tenth of the rows, as published: the same prompt may
stand on both sides). They are here to be compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xgboost

from edgewise.policies.learners.protocol import means
from edgewise.policies.learners.threads import one_thread
from edgewise.policies.learners.trees import Forest, stored_forest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Floats, Training

ROUNDS: Final = 500
PATIENCE: Final = 10
PLACEMENT_DEPTH: Final = 8
PLACEMENT: Final = {"max_depth": PLACEMENT_DEPTH, "eta": 0.03, "subsample": 0.9, "colsample_bytree": 0.9}
SELECTION_DEPTH: Final = 10
SELECTION: Final = {"max_depth": SELECTION_DEPTH, "eta": 0.01}
_FEWEST_TO_STOP: Final = 20


@dataclass(frozen=True, slots=True)
class VectorTrees:
    """The placement recipe, fitted: one forest a candidate."""

    stored: tuple[NDArray[np.uint8], ...]
    forests: tuple[Forest, ...]

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        return np.stack([forest.predict(features.vectors) for forest in self.forests], 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """One UBJSON file a candidate."""
        return {f"trees.{c}.ubj": raw for c, raw in enumerate(self.stored)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> VectorTrees:
        """The inverse of `arrays`."""
        stored = tuple(arrays[f"trees.{c}.ubj"] for c in range(len(arrays)))
        return cls(stored, tuple(stored_forest(raw, PLACEMENT_DEPTH) for raw in stored))


@dataclass(frozen=True, slots=True)
class PairTrees:
    """The selection recipe, fitted: one forest for pairs of prompt and candidate; no `base`: nobody asked."""

    stored: NDArray[np.uint8]
    forest: Forest
    base: Floats

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        count = len(self.base)
        pairs = _pairs(features.vectors, count)
        out = self.forest.predict(pairs).reshape(len(features), count)
        out[:, np.isnan(self.base)] = 0.5
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Two arrays, one of them UBJSON."""
        return {"trees.ubj": self.stored, "base": self.base}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PairTrees:
        """The inverse of `arrays`."""
        stored = arrays["trees.ubj"]
        return cls(stored, stored_forest(stored, SELECTION_DEPTH), arrays["base"])


@dataclass(frozen=True, slots=True)
class PlacementRecipe:
    """Learner of `VectorTrees`."""

    @one_thread()
    def fit(self, data: Training) -> VectorTrees:
        """Learn from `data`."""
        stored = tuple(self._boost(data, c) for c in range(data.targets.shape[1]))
        return VectorTrees(stored, tuple(stored_forest(raw, PLACEMENT_DEPTH) for raw in stored))

    def _boost(self, data: Training, c: int) -> NDArray[np.uint8]:
        rows = np.flatnonzero(~np.isnan(data.targets[:, c]) & (data.weights[:, c] > 0))
        x, y, weight = data.features.vectors[rows], data.targets[rows, c], data.weights[rows, c]
        if len(rows) == 0:
            x, y, weight = np.zeros_like(data.features.vectors[:1]), np.array([0.5]), np.ones(1)
        return _train(PLACEMENT, (x, y, weight), None, data.seed)


@dataclass(frozen=True, slots=True)
class SelectionRecipe:
    """Learner of `PairTrees`."""

    @one_thread()
    def fit(self, data: Training) -> PairTrees:
        """Learn from `data`."""
        count = data.targets.shape[1]
        seen = (~np.isnan(data.targets) & (data.weights > 0)).ravel()
        if not seen.any():
            raise ValueError("learning needs outcomes; this table has none")
        rows = np.flatnonzero(seen)
        y, weight = data.targets.ravel()[rows], data.weights.ravel()[rows]
        x = _pairs(data.features.vectors, count)[rows]
        held = np.random.default_rng(data.seed).permutation(len(rows)) < len(rows) // 10
        tenth = (x[held], y[held], weight[held]) if len(rows) >= _FEWEST_TO_STOP else None
        kept = ~held if tenth else slice(None)
        stored = _train(SELECTION, (x[kept], y[kept], weight[kept]), tenth, data.seed)
        base = means(data.targets, data.weights)
        base[~seen.reshape(-1, count).any(0)] = np.nan
        return PairTrees(stored, stored_forest(stored, SELECTION_DEPTH), base.astype(np.float32))


def _pairs(vectors: Floats, count: int) -> Floats:
    """Each vector beside each candidate's one-hot column, (n c, d + c)."""
    return np.hstack(
        (np.repeat(vectors, count, 0), np.tile(np.eye(count, dtype=np.float32), (len(vectors), 1)))
    )


def _train(
    settings: dict[str, Any], part: tuple[Any, Any, Any], tenth: tuple[Any, Any, Any] | None, seed: int
) -> NDArray[np.uint8]:
    matrix = xgboost.QuantileDMatrix(part[0], part[1], weight=part[2], nthread=1)
    told = {**settings, "tree_method": "hist", "nthread": 1, "seed": seed}
    if tenth is None:
        booster = xgboost.train(told, matrix, ROUNDS)
    else:
        watched = xgboost.QuantileDMatrix(tenth[0], tenth[1], weight=tenth[2], ref=matrix, nthread=1)
        booster = xgboost.train(
            told,
            matrix,
            ROUNDS,
            evals=[(watched, "held")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        booster = booster[: booster.best_iteration + 1]
    return np.frombuffer(bytes(booster.save_raw("ubj")), np.uint8)
