"""Intervals by resampling prompts: rows of one prompt stay together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Verdict = Literal["better", "no different", "worse"]
DRAWS = 2_000
MOST_COUNTS = 100_000_000  # bytes that the draws may take; of very many prompts fewer draws are made
BLOCK = 100
TAILS = (0.025, 0.975)
ROUNDING = 1e-12


class Interval(Struct, frozen=True):
    """A figure with its 95 % interval; NaN where it cannot be told."""

    mean: float
    low: float
    high: float


UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


class Bootstrap:
    """Resamples prompts (clusters of equal `keys`) with replacement.

    Every figure uses the same draws, so that differences between policies are paired.
    """

    def __init__(self, keys: Sequence[str], *, seed: int = 0, draws: int = DRAWS) -> None:
        _, cluster = np.unique(np.array(keys, dtype=np.str_), return_inverse=True)
        self._cluster: NDArray[np.int64] = cluster.astype(np.int64)
        self._clusters = int(cluster.max()) + 1 if len(cluster) else 0
        count = max(1, self._clusters)
        draws = max(BLOCK, min(draws, MOST_COUNTS // count))
        dice = np.random.default_rng(seed)
        picks = (dice.integers(0, count, count) for _ in range(draws))
        self._counts = np.stack(
            [np.bincount(p, minlength=count).clip(max=255).astype(np.uint8) for p in picks]
        )

    def weights(self) -> Iterator[Floats]:
        """How often each row was drawn, (n,), draw by draw."""
        for counts in self._counts:
            yield counts[self._cluster].astype(np.float64)

    def draws(self, values: Floats) -> Floats:
        """Means (draws, k) of (n, k) values; NaN entries are left out."""
        known = ~np.isnan(values)
        sums = np.zeros((max(1, self._clusters), values.shape[1]))
        seen = np.zeros_like(sums)
        np.add.at(sums, self._cluster, np.where(known, values, 0.0))
        np.add.at(seen, self._cluster, known.astype(np.float64))
        found = np.full((len(self._counts), values.shape[1]), np.nan)
        for start in range(0, len(found), BLOCK):
            counts = self._counts[start : start + BLOCK].astype(np.float64)
            total, number = counts @ sums, counts @ seen
            np.divide(total, number, out=found[start : start + BLOCK], where=number > 0)
        return found

    def means(self, values: Floats) -> list[Interval]:
        """The mean of each column of (n, k) values with its interval."""
        drawn = self.draws(values)
        return [interval(mean_of(values[:, k]), drawn[:, k]) for k in range(values.shape[1])]

    def mean(self, values: Floats) -> Interval:
        """The mean of (n,) values with its interval."""
        return self.means(values[:, None])[0]

    def verdict(self, ours: Floats, theirs: Floats) -> tuple[Interval, Verdict]:
        """The paired difference of two policies' (n,) realised values, and what it says."""
        difference = self.mean(ours - theirs)
        if difference.low > ROUNDING:
            return difference, "better"
        if difference.high < -ROUNDING:
            return difference, "worse"
        return difference, "no different"


def interval(mean: float, drawn: Floats) -> Interval:
    """A figure and the middle 95 % of its draws."""
    known = drawn[~np.isnan(drawn)]
    if not len(known) or np.isnan(mean):
        return UNKNOWN
    low, high = np.quantile(known, TAILS)
    return Interval(mean, float(low), float(high))


def mean_of(values: Floats) -> float:
    """The mean of what is known; NaN where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
