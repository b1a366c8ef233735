"""A small neural network: one hidden layer on vectors and statistics, in plain numpy.

Weights are found by Adam with decoupled decay (Loshchilov and Hutter 2019, "Decoupled weight decay
regularization"); how many epochs to train is chosen on prompts held out (Prechelt 1998, "Early stopping, but
when?"), and all prompts are then learned for as long. Several networks from different first weights are
averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.protocol import folds, means
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training

_CLIP: Final = 4.0
_HELD: Final = 5
"""One prompt in so many is held out to see when to stop."""
_FEWEST: Final = 20
"""With fewer prompts nothing is held out: `_SHORT` epochs are learned."""
_SHORT: Final = 15
_LEAST_BATCH: Final = 8
_STEPS: Final = 16
"""Few prompts are cut into so many batches at least, or an epoch would hardly move."""
_BETAS: Final = (0.9, 0.999)
_TINY: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Network:
    """Fitted: `inner` (m, d + s, h), `bias` (m, h), `outer` (m, h, c) of m networks, all float32.

    `mean` and `scale` standardise the s statistics and the d numbers of a vector; `base` (c,) is the mean
    target. Forecasts stay within `limits` (2, c), what was ever seen.
    """

    mean: Floats
    scale: Floats
    inner: Floats
    bias: Floats
    outer: Floats
    base: Floats
    limits: Floats

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        x = _standardised(features, self.mean, self.scale)
        total = np.zeros((len(x), self.base.shape[0]), np.float32)
        for inner, bias, outer in zip(self.inner, self.bias, self.outer, strict=True):
            total += np.maximum(x @ inner + bias, 0.0) @ outer
        said = self.base + total / np.float32(len(self.inner))
        return np.asarray(np.clip(said, self.limits[0], self.limits[1]), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Seven arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Network:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class NetworkLearner:
    """Learner of `Network`."""

    hidden: int = 64
    networks: int = 5
    rate: float = 5e-4
    decay: float = 1.0
    batch: int = 128
    epochs: int = 60
    patience: int = 6

    @one_thread()
    def fit(self, data: Training) -> Network:
        """Learn from `data`; where a candidate was not asked, nothing is learned about it."""
        joined = np.hstack((data.features.vectors, data.features.statistics))
        mean, scale = joined.mean(0), np.maximum(joined.std(0), 1e-3).astype(np.float32)
        x = _standardised(data.features, mean, scale)
        base = means(data.targets, data.weights)
        seen = np.where(np.isnan(data.targets), 0.0, data.weights)
        seen = seen / max(float(seen[seen > 0].mean()), 1e-12) if seen.any() else seen
        problem = _Problem(x, np.nan_to_num(data.targets - base).astype(np.float32), seen.astype(np.float32))
        epochs = self._epochs(problem, data)
        found = [self._network(problem, epochs, data.seed, number) for number in range(self.networks)]
        inner, bias, outer = (np.stack(part) for part in zip(*found, strict=True))
        return Network(mean, scale, inner, bias, outer, base.astype(np.float32), _limits(data, base))

    def _epochs(self, problem: _Problem, data: Training) -> int:
        """How many epochs serve prompts that were held out best; none, where no epoch serves them."""
        if len(np.unique(data.clusters)) < _FEWEST:
            return _SHORT
        out = folds(data.clusters, _HELD, data.seed) == 0
        rest, kept = problem.take(np.flatnonzero(~out)), problem.take(np.flatnonzero(out))
        walk = _Walk(self, rest, data.seed, 0)
        best, least = 0, kept.error(None)
        for epoch in range(1, self.epochs + 1):
            walk.epoch()
            error = kept.error(walk.weights)
            if error < least:
                best, least = epoch, error
            elif epoch - best >= self.patience:
                break
        return best

    def _network(self, problem: _Problem, epochs: int, seed: int, number: int) -> list[Floats]:
        walk = _Walk(self, problem, seed, number)
        for _ in range(epochs):
            walk.epoch()
        return walk.weights if epochs else [np.zeros_like(weight) for weight in walk.weights]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Standardised prompts (n, d), what they earned beyond the mean (n, c), and how much each counts."""

    x: Floats
    y: Floats
    weight: Floats

    def take(self, rows: NDArray[np.intp]) -> _Problem:
        return _Problem(self.x[rows], self.y[rows], self.weight[rows])

    def error(self, weights: list[Floats] | None) -> float:
        """The weighted sum of squares; of the means alone without weights."""
        said = 0.0 if weights is None else np.maximum(self.x @ weights[0] + weights[1], 0.0) @ weights[2]
        return float((self.weight * (self.y - said) ** 2).sum())


class _Walk:
    """One network on its way; an epoch sees every prompt once."""

    def __init__(self, how: NetworkLearner, problem: _Problem, seed: int, number: int) -> None:
        self._how, self._problem = how, problem
        self._draw = np.random.default_rng([seed, number])
        width, outputs = problem.x.shape[1], problem.y.shape[1]
        first = self._draw.normal(0.0, (2.0 / width) ** 0.5, (width, how.hidden)).astype(np.float32)
        self.weights: list[Floats] = [
            first,
            np.zeros(how.hidden, np.float32),
            np.zeros((how.hidden, outputs), np.float32),
        ]
        self._first = [np.zeros_like(weight) for weight in self.weights]
        self._second = [np.zeros_like(weight) for weight in self.weights]
        self._steps = 0

    def epoch(self) -> None:
        """Every prompt once, in an order that the seed gives."""
        order = self._draw.permutation(len(self._problem.x))
        size = max(_LEAST_BATCH, min(self._how.batch, len(order) // _STEPS))
        for start in range(0, len(order), size):
            self._step(self._problem.take(order[start : start + size]))

    def _step(self, part: _Problem) -> None:
        inner, bias, outer = self.weights
        hidden = np.maximum(part.x @ inner + bias, 0.0)
        slope = part.weight * (hidden @ outer - part.y) / np.float32(len(part.x))
        back = (slope @ outer.T) * (hidden > 0)
        self._steps += 1
        for place, gradient in enumerate((part.x.T @ back, back.sum(0), hidden.T @ slope)):
            self._move(place, gradient)

    def _move(self, place: int, gradient: NDArray[Any]) -> None:
        how, weight = self._how, self.weights[place]
        one, two = _BETAS
        self._first[place] = _single(one * self._first[place] + (1 - one) * gradient)
        self._second[place] = _single(two * self._second[place] + (1 - two) * gradient**2)
        first = self._first[place] / (1 - one**self._steps)
        second = self._second[place] / (1 - two**self._steps)
        kept = 1 - how.rate * how.decay if weight.ndim > 1 else 1.0  # biases do not decay
        self.weights[place] = _single(kept * weight - how.rate * first / (np.sqrt(second) + _TINY))


def _single(x: NDArray[Any]) -> Floats:
    return np.asarray(x, np.float32)


def _standardised(features: Described, mean: Floats, scale: Floats) -> Floats:
    joined = np.hstack((features.vectors, features.statistics))
    return np.asarray(np.clip((joined - mean) / scale, -_CLIP, _CLIP), np.float32)


def _limits(data: Training, base: Doubles) -> Floats:
    """The least and the greatest target of each candidate, (2, c); its base where it was never asked."""
    filled = np.where(np.isnan(data.targets), base, data.targets)
    return np.stack((filled.min(0), filled.max(0))).astype(np.float32)
