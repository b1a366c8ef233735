"""Weighted ridge regression with many outputs; penalties by leaving one out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Training


PENALTIES: Final = tuple(float(10**e) for e in np.arange(-1.5, 3.01, 0.5))
_FULL: Final = 0.9999


@dataclass(frozen=True, slots=True)
class Lines:
    """`x @ slopes + intercepts` (d, k), and the penalty of each output."""

    slopes: Doubles
    intercepts: Doubles
    penalties: Doubles

    def __call__(self, x: NDArray[np.float32] | Doubles) -> Doubles:
        """Expected outputs of each row of `x`, (n, k)."""
        return np.asarray(x @ self.slopes + self.intercepts, np.float64)


@dataclass(frozen=True, slots=True)
class _Centred:
    a: Doubles
    b: Doubles
    centre: Doubles
    middle: Doubles
    weight: Doubles


@dataclass(frozen=True, slots=True)
class _Turned:
    """The same problem along the principal axes of its rows."""

    values: Doubles
    rows: Doubles
    target: Doubles


def fit(
    x: Doubles,
    y: Doubles,
    weights: Doubles,
    blocks: NDArray[np.int64] | None = None,
    penalties: Sequence[float] = PENALTIES,
) -> Lines:
    """Ridge of `y` (n, k; NaN = unseen) on `x` (n, d) with `weights` (n, k).

    Outputs of one of the `blocks` (k,) share a penalty, and those seen on the
    same rows share a decomposition. An output without a row is .5 everywhere.
    """
    shared = np.zeros((y.shape[1],), np.int64) if blocks is None else blocks
    out = _empty(x.shape[1], y.shape[1])
    for columns, part in _shared(x, y, weights):
        values, axes = np.linalg.eigh(part.a.T @ part.a)
        turned = _Turned(np.maximum(values, 0.0), part.a @ axes, (part.a @ axes).T @ part.b)
        chosen = _leave_one_out(part, turned, shared[columns], penalties)
        slopes = axes @ (turned.target / (turned.values[:, None] + chosen))
        out.slopes[:, columns] = slopes
        out.intercepts[columns] = part.middle - part.centre @ slopes
        out.penalties[columns] = chosen
    return out


def refit(x: Doubles, y: Doubles, weights: Doubles, penalties: Doubles) -> Lines:
    """The same regression with a known penalty an output: one solution each."""
    out = _empty(x.shape[1], y.shape[1])
    out.penalties[:] = penalties
    for columns, part in _shared(x, y, weights):
        gram, target = part.a.T @ part.a, part.a.T @ part.b
        diagonal = np.einsum("ii->i", gram)
        base = diagonal.copy()
        for penalty in np.unique(penalties[columns]):
            mine = penalties[columns] == penalty
            diagonal[:] = base + penalty
            slopes = np.linalg.solve(gram, target[:, mine])
            names = np.array(columns)[mine]
            out.slopes[:, names] = slopes
            out.intercepts[names] = part.middle[mine] - part.centre @ slopes
    return out


def _empty(width: int, outputs: int) -> Lines:
    return Lines(np.zeros((width, outputs)), np.full(outputs, 0.5), np.full(outputs, np.inf))


def _shared(x: Doubles, y: Doubles, weights: Doubles) -> Iterator[tuple[list[int], _Centred]]:
    """Outputs with the same weights, and the centred, weighted problem they share."""
    seen = np.where(np.isnan(y), 0.0, weights)
    alike: dict[bytes, list[int]] = {}
    for column in range(seen.shape[1]):
        alike.setdefault(seen[:, column].tobytes(), []).append(column)
    for columns in alike.values():
        rows = np.flatnonzero(seen[:, columns[0]] > 0)
        if len(rows) == 0:
            continue
        weight = seen[rows, columns[0]]
        weight = weight / weight.mean()
        part = y[rows][:, columns]
        centre = (weight / weight.sum()) @ x[rows]
        middle = (weight / weight.sum()) @ part
        root = np.sqrt(weight)[:, None]
        yield columns, _Centred((x[rows] - centre) * root, (part - middle) * root, centre, middle, weight)


def _leave_one_out(
    part: _Centred, turned: _Turned, blocks: NDArray[np.int64], penalties: Sequence[float]
) -> Doubles:
    """The penalty of each output that errs least on rows left out, a block at a time."""
    squares = turned.rows * turned.rows
    share = part.weight / part.weight.sum()
    errors = np.empty((len(penalties), len(blocks)))
    for row, penalty in enumerate(penalties):
        shrink = 1.0 / (turned.values + penalty)
        leverage = np.minimum(squares @ shrink + share, _FULL)[:, None]
        left_out = (part.b - turned.rows @ (shrink[:, None] * turned.target)) / (1.0 - leverage)
        errors[row] = (left_out * left_out).sum(0)
    chosen = np.empty(len(blocks))
    for block in np.unique(blocks):
        mine = blocks == block
        chosen[mine] = penalties[int(errors[:, mine].sum(1).argmin())]
    return chosen


@dataclass(frozen=True, slots=True)
class RidgeRule:
    """Plain ridge on vectors and standardised statistics; the quickest to serve."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    slopes: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def predict(self, features: Described) -> NDArray[np.float32]:
        """Expected target of each text under each candidate, (n, c)."""
        return _columns(features, self.mean, self.scale) @ self.slopes + self.intercepts

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Four arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> RidgeRule:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def _columns(
    features: Described, mean: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.float32]:
    spread = np.clip((features.statistics - mean) / scale, -4.0, 4.0)
    # A unit vector of d numbers has deviation 1/sqrt(d) each: bring both to about one.
    return np.hstack((features.vectors * np.float32(features.vectors.shape[1] ** 0.5), spread))


@dataclass(frozen=True, slots=True)
class RidgeLearner:
    """`Ridge` behind the protocol that all learners share."""

    def fit(self, data: Training) -> RidgeRule:
        """Learn from `data`."""
        return Ridge().fit(data.features, data.targets, data.weights)


@dataclass(frozen=True, slots=True)
class Ridge:
    """Learner of `RidgeRule`."""

    penalties: tuple[float, ...] = tuple(float(10**e) for e in np.arange(1.0, 5.01, 0.5))

    @one_thread()
    def fit(self, features: Described, targets: Doubles, weights: Doubles) -> RidgeRule:
        """Learn from `targets` (n, c; NaN = unseen) with `weights` (n, c)."""
        raw = features.statistics
        mean, scale = raw.mean(0), np.maximum(raw.std(0), 1e-3).astype(np.float32)
        x = _columns(features, mean, scale).astype(np.float64)
        lines = fit(x, targets, weights, penalties=self.penalties)
        return RidgeRule(mean, scale, lines.slopes.astype(np.float32), lines.intercepts.astype(np.float32))
