"""Forecasts of positive amounts (latency, output tokens): in log space, with quantiles.

A ridge on the features predicts the logarithm; the spread around it is taken
from residuals of prompts that each fold had not seen (conformal in spirit: Lei
et al. 2018, "Distribution-free predictive inference for regression").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.protocol import folds, parts
from edgewise.policies.learners.ridge import Ridge, RidgeRule
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training


LEVELS: Final = (0.05, 0.5, 0.95)
SMALLEST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PositiveRule:
    """Fitted; `offsets` (3, c) are residual quantiles, `lift` (c,) turns medians into means."""

    centre: RidgeRule
    offsets: Floats
    lift: Floats
    limits: Floats

    def predict(self, features: Described) -> Floats:
        """Mean, low (5 %), median and high (95 %) of each candidate, (n, 4, c).

        Forecasts stay inside what was ever seen, half and twice that at most.
        """
        log = self.centre.predict(features)[:, None]
        found = np.concatenate((log + self.lift, log + self.offsets), 1)
        return np.asarray(np.exp(np.clip(found, self.limits[0], self.limits[1])), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The line's arrays and three more."""
        own = {"offsets": self.offsets, "lift": self.lift, "limits": self.limits}
        return {**self.centre.arrays(), **own}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PositiveRule:
        """The inverse of `arrays`."""
        centre = RidgeRule.from_arrays({k: arrays[k] for k in RidgeRule.__slots__})
        return cls(centre, arrays["offsets"], arrays["lift"], arrays["limits"])


@dataclass(frozen=True, slots=True)
class PositiveLearner:
    """Learner of `PositiveRule`; targets at or below zero count as unseen."""

    def fit(self, data: Training) -> PositiveRule:
        """Learn from `data`, whose targets are seconds or tokens."""
        return self.cross_fit_alone(data)[0]

    @one_thread()
    def cross_fit_alone(self, data: Training) -> tuple[PositiveRule, Doubles]:
        """The rule, and its mean forecasts (n, c) of each row made without that row's fold."""
        with np.errstate(invalid="ignore"):
            usable = data.targets > 0
        y = np.log(np.where(usable, np.maximum(data.targets, SMALLEST), np.nan))
        fold = folds(data.clusters, min(5, max(2, len(np.unique(data.clusters)))), data.seed)
        log, held = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
        for out, rest in parts(fold):
            line = Ridge().fit(data.features.take(rest), y[rest], data.weights[rest])
            log[out] = line.predict(data.features.take(out))
            # Only the rest may say how medians become means: a row must not reach its own figure.
            within: Doubles = y[rest] - line.predict(data.features.take(rest)).astype(np.float64)
            _, lift, limits = _spread(y[rest], within)
            held[out] = np.exp(np.clip(log[out] + lift, limits[0], limits[1]))
        centre = Ridge().fit(data.features, y, data.weights)
        return PositiveRule(centre, *_spread(y, y - log)), held


def _spread(y: Doubles, residual: Doubles) -> tuple[Floats, Floats, Floats]:
    c = y.shape[1]
    offsets = np.zeros((len(LEVELS), c), np.float32)
    lift = np.zeros(c, np.float32)
    limits = np.tile(np.array([[-14.0], [14.0]], np.float32), (1, c))
    for column in range(c):
        seen = ~np.isnan(y[:, column])
        if not seen.any():
            continue
        mine = residual[seen, column]
        mine = mine[~np.isnan(mine)]
        if len(mine):
            offsets[:, column] = np.quantile(mine, LEVELS)
            # Duan's smearing, kept from exploding by the tails.
            low, high = offsets[0, column], offsets[-1, column]
            lift[column] = np.log(np.exp(np.clip(mine, low, high)).mean())
        limits[:, column] = y[seen, column].min() - np.log(2), y[seen, column].max() + np.log(2)
    return offsets, lift, limits[:, None]
