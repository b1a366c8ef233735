"""Intervals by resampling prompts: rows of one prompt stay together.

Every figure is a ratio of two sums over rows, so that a prompt counts only through its sums: what is kept
does not grow with the number of draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.decisions import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 2000
MOST_BLOCKS = 2000  # prompts beyond that are put together at random: sums of prompts vary as prompts do
CELLS = 500_000  # as many draws at a time stay in the cache
TAILS = (0.025, 0.975)
UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


class Resampled:
    """Draws clusters of equal `keys` (n,) with replacement.

    Every figure uses the same draws, so that differences are paired.
    """

    def __init__(self, keys: Sequence[str], *, seed: int = 0, draws: int = DRAWS) -> None:
        _, cluster = np.unique(np.array(keys, dtype=np.str_), return_inverse=True)
        count = int(cluster.max()) + 1 if len(cluster) else 0
        self._dice = np.random.default_rng(seed)
        if count > MOST_BLOCKS:
            cluster = (self._dice.permutation(count) % MOST_BLOCKS)[cluster]
            count = MOST_BLOCKS
        self.clusters = count
        self._cluster = cluster
        self._picks = self._drawn(count, draws)

    def draws(self, top: Floats, bottom: Floats | None = None) -> tuple[float, Floats]:
        """Σ top / Σ bottom (by default the number of rows) over all rows, and again for each draw.

        Both are (n,); draws in which the bottom is 0 are left out.
        """
        bottom = np.ones_like(top) if bottom is None else bottom
        total = float(bottom.sum())
        if total <= 0.0:
            return float("nan"), np.empty(0)
        tops, bottoms = self._picks @ self._sums(top), self._picks @ self._sums(bottom)
        kept = bottoms > 0.0
        return float(top.sum()) / total, tops[kept] / bottoms[kept]

    def ratio(self, top: Floats, bottom: Floats | None = None) -> Estimate:
        """The same with its 95 % interval."""
        mean, drawn = self.draws(top, bottom)
        return interval(mean, drawn)

    def _sums(self, values: Floats) -> Floats:
        sums: Floats = np.zeros(self.clusters)
        np.add.at(sums, self._cluster, values)
        return sums

    def _drawn(self, count: int, draws: int) -> NDArray[np.float32]:
        """(draws, clusters): how often each was drawn. Whole numbers this small are exact in 32 bits."""
        picks = np.zeros((draws, count), dtype=np.float32)
        chunk = max(1, CELLS // max(count, 1))
        for start in range(0, draws if count else 0, chunk):
            size = min(chunk, draws - start)
            drawn = self._dice.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
            picks[start : start + size] = np.bincount(drawn.ravel(), minlength=size * count).reshape(
                size, count
            )
        return picks


def interval(mean: float, drawn: Floats) -> Estimate:
    """A figure and the middle 95 % of its draws; all NaN where there are none."""
    if not len(drawn):
        return UNKNOWN
    low, high = np.quantile(drawn, TAILS)
    return Estimate(mean, float(low), float(high))
