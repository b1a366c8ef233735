"""Boosted trees: XGBoost fits them, a few numpy steps read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xgboost

from edgewise.policies.learners.protocol import parts
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training


AXES: Final = 32
_ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class Columns:
    """Statistics and the first principal axes of the vectors, side by side."""

    centre: Floats
    axes: Floats

    def __call__(self, features: Described) -> Floats:
        """What the trees read, (n, 24 + axes)."""
        turned = (features.vectors - self.centre) @ self.axes
        return np.asarray(np.hstack((features.statistics, turned)), np.float32)

    @classmethod
    def fit(cls, features: Described, axes: int = AXES) -> Columns:
        """Principal axes of `features` (signs fixed, so that bytes repeat)."""
        centre = features.vectors.mean(0)
        x = (features.vectors - centre).astype(np.float64)
        _, found = np.linalg.eigh(x.T @ x)
        found = found[:, ::-1][:, :axes]
        signs = np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])])
        return cls(centre, (found * signs).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees of one depth as heaps: node i's children are 2 i + 1 and 2 i + 2.

    `feature` and `cut` are (trees, 2^depth - 1), flat; a leaf above the last
    level repeats its value below itself. Reading one row takes a few numpy
    steps a level for all trees together, where XGBoost's own call costs more
    in overhead than in trees.
    """

    feature: NDArray[np.int32]
    cut: Floats
    leaf: Floats
    depth: int
    base: float

    @classmethod
    def read(cls, booster: xgboost.Booster, depth: int) -> Forest:
        """Flatten a booster that has numeric splits only and no missing values."""
        learner = json.loads(booster.save_raw("json"))["learner"]
        trees = learner["gradient_booster"]["model"]["trees"]
        feature = np.zeros((len(trees), 2**depth - 1), np.int32)
        cut = np.full(feature.shape, np.inf, np.float32)
        leaf = np.zeros((len(trees), 2**depth), np.float32)
        for row, tree in enumerate(trees):
            _plant(tree, (feature[row], cut[row], leaf[row]))
        base = str(learner["learner_model_param"]["base_score"]).strip("[]")
        return cls(feature, cut, leaf, depth, float(base))

    def predict(self, x: Floats) -> Floats:
        """Sum of the leaves that each row of `x` falls into, (n,)."""
        if len(x) == 1:
            return self._one(x[0])
        out = np.empty(len(x), np.float32)
        trees = np.arange(len(self.feature))
        for start in range(0, len(x), _ROWS):
            part = x[start : start + _ROWS]
            row = np.arange(len(part))[:, None]
            place = np.zeros((len(part), len(trees)), np.int64)
            offset = trees * self.feature.shape[1]
            for _ in range(self.depth):
                node = place + offset
                right = part[row, self.feature.ravel()[node]] >= self.cut.ravel()[node]
                place = 2 * place + 1 + right
            ends = place - self.feature.shape[1] + trees * self.leaf.shape[1]
            out[start : start + _ROWS] = self.leaf.ravel()[ends].sum(1)
        return out + np.float32(self.base)

    def _one(self, x: Floats) -> Floats:
        """Ask every node at once, then walk: for one row that is the cheaper order."""
        inner, ends = self.feature.shape[1], self.leaf.shape[1]
        right = (x[self.feature] >= self.cut).ravel().view(np.int8)
        trees = np.arange(len(self.feature))
        offset = trees * inner
        place: NDArray[np.int64] = offset.copy()
        for _ in range(self.depth):
            place = 2 * place - offset + 1 + right.take(place, mode="clip")
        leaves: Floats = self.leaf.ravel()[place - offset - inner + trees * ends]
        return np.array([leaves.sum() + np.float32(self.base)], np.float32)


def stored_forest(raw: NDArray[np.uint8], depth: int) -> Forest:
    """The forest that stands in a UBJSON file."""
    return Forest.read(xgboost.Booster(model_file=bytearray(raw.tobytes())), depth)


def _plant(tree: dict[str, list[float]], heap: tuple[NDArray[np.int32], Floats, Floats]) -> None:
    feature, cut, leaf = heap
    left, right = tree["left_children"], tree["right_children"]
    inner = len(feature)
    waiting = [(0, 0)]
    while waiting:
        node, place = waiting.pop()
        is_leaf = left[node] == -1
        if place >= inner:
            leaf[place - inner] = tree["split_conditions"][node]
            continue
        if not is_leaf:
            feature[place] = tree["split_indices"][node]
            cut[place] = tree["split_conditions"][node]
        waiting.append((node if is_leaf else int(left[node]), 2 * place + 1))
        waiting.append((node if is_leaf else int(right[node]), 2 * place + 2))


@dataclass(frozen=True, slots=True)
class TreeRule:
    """Fitted; one booster a candidate, kept as UBJSON and read as a `Forest`."""

    columns: Columns
    stored: tuple[NDArray[np.uint8], ...]
    forests: tuple[Forest, ...]

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        x = self.columns(features)
        return np.stack([forest.predict(x) for forest in self.forests], 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns, the depth, and one UBJSON file a candidate."""
        trees = {f"trees.{c}.ubj": raw for c, raw in enumerate(self.stored)}
        depth = np.array(self.forests[0].depth, np.int64)
        return {"centre": self.columns.centre, "axes": self.columns.axes, "depth": depth, **trees}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> TreeRule:
        """The inverse of `arrays`."""
        count = sum(name.startswith("trees.") for name in arrays)
        stored = tuple(arrays[f"trees.{c}.ubj"] for c in range(count))
        forests = tuple(stored_forest(raw, int(arrays["depth"])) for raw in stored)
        return cls(Columns(arrays["centre"], arrays["axes"]), stored, forests)


@dataclass(frozen=True, slots=True)
class TreeLearner:
    """Learner of `TreeRule`."""

    rounds: int = 150
    depth: int = 4
    rate: float = 0.02

    @one_thread()
    def fit(self, data: Training) -> TreeRule:
        """Learn from `data`."""
        columns = Columns.fit(data.features)
        x = columns(data.features)
        boosters = [self._boost(x, data, c) for c in range(data.targets.shape[1])]
        stored = tuple(np.frombuffer(bytes(b.save_raw("ubj")), np.uint8) for b in boosters)
        return TreeRule(columns, stored, tuple(Forest.read(b, self.depth) for b in boosters))

    def _boost(self, x: Floats, data: Training, c: int) -> xgboost.Booster:
        rows = np.flatnonzero(~np.isnan(data.targets[:, c]) & (data.weights[:, c] > 0))
        part, label, weight = x[rows], data.targets[rows, c], data.weights[rows, c]
        if len(rows) == 0:
            part, label, weight = x[:1], np.array([0.5]), np.ones(1)
        matrix = xgboost.QuantileDMatrix(part, label, weight=weight, max_bin=64, nthread=1)
        settings = {
            "max_depth": self.depth, "eta": self.rate, "subsample": 0.7, "colsample_bytree": 0.5,
            "min_child_weight": 20, "lambda": 5.0, "max_bin": 64, "tree_method": "hist",
            "nthread": 1, "seed": data.seed,
        }  # fmt: skip
        return xgboost.train(settings, matrix, self.rounds)

    def cross_fit(self, data: Training, fold: NDArray[np.int64] | None) -> tuple[TreeRule, Doubles]:
        """The rule, and its forecasts (n, c) on rows held out by `fold`."""
        held = np.zeros(data.targets.shape)
        for out, rest in parts(fold):
            held[out] = self.fit(data.take(rest)).predict(data.features.take(out))
        return self.fit(data), held
