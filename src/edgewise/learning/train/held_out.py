"""What a learner says of prompts that it has not seen, and how far off it is."""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.policies.learners.protocol import folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.policies.learners.protocol import Fitted, Learner, Training

    Doubles = NDArray[np.float64]

FOLDS = 5
BINS = 10
LEVEL = 1.645  # a 90 % interval


def fit_and_hold_out(learner: Learner, data: Training) -> tuple[Fitted, Doubles]:
    """The learner fitted on all rows, and its forecasts (n, c) of each row made without that row's prompt."""
    cross_fit = getattr(learner, "cross_fit_alone", None)
    if cross_fit is not None:
        fitted, held = cross_fit(data)
        return fitted, held
    count = min(FOLDS, len(np.unique(data.clusters)))
    fold = folds(data.clusters, count, data.seed)
    held_out = np.full(data.targets.shape, np.nan)
    for number in range(count):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        held_out[out] = learner.fit(data.take(rest)).predict(data.features.take(out))
    return learner.fit(data), held_out


def errors(held: Doubles, truth: Doubles, names: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
    """MAE, R² and the number of labels of each candidate, on held-out forecasts."""
    found: dict[str, dict[str, float | None]] = {}
    for column, name in enumerate(names):
        seen = ~np.isnan(truth[:, column]) & ~np.isnan(held[:, column])
        if not seen.any():
            found[name] = {"mae": None, "r2": None, "labels": 0.0}
            continue
        miss, labels = truth[seen, column] - held[seen, column], truth[seen, column]
        spread = float(((labels - labels.mean()) ** 2).sum())
        found[name] = {
            "mae": round(float(np.abs(miss).mean()), 6),
            "r2": round(1.0 - float((miss**2).sum()) / spread, 6) if spread > 0 else None,
            "labels": float(seen.sum()),
        }
    return found


def calibration_error(held: Doubles, truth: Doubles) -> float | None:
    """Expected calibration error over ten equal-mass bins, all candidates together (Naeini et al., 2015)."""
    seen = ~np.isnan(truth) & ~np.isnan(held)
    said, was = held[seen].clip(0.0, 1.0), truth[seen]
    if len(said) < BINS:
        return None
    order = np.array_split(np.argsort(said, kind="stable"), BINS)
    return round(float(sum(abs(said[o].mean() - was[o].mean()) * len(o) for o in order) / len(said)), 6)


def spread(held: Doubles, truth: Doubles) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Edges (bins - 1, c) and half widths (bins, c) of intervals around forecasts.

    An interval holds the mean outcome of prompts with such a forecast: its bin's bias, and 90 % of its noise.
    """
    width = truth.shape[1]
    edges = np.zeros((BINS - 1, width), np.float32)
    half = np.zeros((BINS, width), np.float32)
    for column in range(width):
        seen = np.flatnonzero(~np.isnan(truth[:, column]) & ~np.isnan(held[:, column]))
        if len(seen) < 2 * BINS:
            miss = truth[seen, column] - held[seen, column]
            half[:, column] = LEVEL * float(miss.std()) if len(seen) else 1.0
            continue
        edges[:, column] = np.quantile(held[seen, column], np.linspace(0, 1, BINS + 1)[1:-1])
        place = np.searchsorted(edges[:, column], held[seen, column].astype(np.float32))
        for bin_ in range(BINS):
            mine = seen[place == bin_]
            miss = truth[mine, column] - held[mine, column] if len(mine) else np.ones(1)
            half[bin_, column] = (
                abs(float(miss.mean())) + LEVEL * float(miss.std()) / max(len(mine), 1) ** 0.5
            )
    return edges, half
