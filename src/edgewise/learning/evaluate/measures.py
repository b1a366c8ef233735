"""What a way of choosing is worth: deferral curve, APGR, CPT, cost-quality frontier, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True)
class DeferralCurve:
    """Quality reached when a share of prompts goes to the strong candidate, highest forecast gain first.

    `share` and `quality` are (k,), from all-weak to all-strong. Source: Ong et al., "RouteLLM: Learning to
    Route LLMs with Preference Data", 2024.
    """

    share: Floats
    quality: Floats

    @property
    def recovered(self) -> Floats:
        """(k,) performance gap recovered: 0 is the weak candidate alone, 1 the strong; NaN without gap."""
        gap = self.quality[-1] - self.quality[0]
        return (self.quality - self.quality[0]) / gap if gap else np.full_like(self.quality, np.nan)

    @property
    def apgr(self) -> float:
        """Average performance gap recovered over all shares; .5 is what chance reaches."""
        return float(np.trapezoid(self.recovered, self.share))

    def calls_for(self, recovered: float) -> float:
        """CPT: the smallest share of strong calls that recovers so much of the gap (0 to 1)."""
        reached = np.flatnonzero(self.recovered >= recovered)
        return float(self.share[reached[0]]) if len(reached) else float("nan")

    def at(self, shares: Floats) -> Floats:
        """The quality at some shares; between prompts of equal forecast chance decides."""
        return np.interp(shares, self.share, self.quality)


def deferral(gain: Floats, weak: Floats, strong: Floats, weight: Floats | None = None) -> DeferralCurve:
    """The curve of sending prompts to the strong candidate in falling order of predicted `gain`.

    All are (n,). Prompts of equal gain are sent together, so that their order in the table cannot matter.
    """
    weight = np.ones(len(gain)) if weight is None else weight
    order = np.argsort(-gain, kind="stable")
    last = np.append(np.flatnonzero(np.diff(gain[order])), len(gain) - 1)
    share = np.cumsum(weight[order])[last] / weight.sum()
    won = np.cumsum((weight * (strong - weak))[order])[last] / weight.sum()
    start = float(np.average(weak, weights=weight))
    return DeferralCurve(np.append(0.0, share), start + np.append(0.0, won))


def deferral_by(
    strata: NDArray[np.int64], gain: Floats, weak: Floats, strong: Floats, weight: Floats | None = None
) -> DeferralCurve:
    """The curve of sending the same share of each stratum (n,), in falling order of `gain` within it.

    Forecasts of different folds come from different trainings; their levels must not be compared.
    """
    weight = np.ones(len(gain)) if weight is None else weight
    parts = [rows for s in np.unique(strata) if weight[rows := np.flatnonzero(strata == s)].any()]
    curves = [deferral(gain[rows], weak[rows], strong[rows], weight[rows]) for rows in parts]
    if len(curves) == 1:
        return curves[0]
    shares = np.unique(np.concatenate([curve.share for curve in curves]))
    weights = [float(weight[rows].sum()) for rows in parts]
    return DeferralCurve(shares, np.average([curve.at(shares) for curve in curves], axis=0, weights=weights))


@dataclass(frozen=True, slots=True)
class Frontier:
    """Mean cost (USD a prompt) and mean quality at each price of quality, (k,) each."""

    cost: Floats
    quality: Floats

    def aiq(self, most: float) -> float:
        """Average improvement in quality: the mean height of the hull from the least cost to the cost `most`.

        Source: Hu et al., "RouterBench", 2024.
        """
        cost, quality = hull(self.cost, self.quality)
        edges = np.unique(np.clip(np.concatenate([[cost[0]], cost, [most]]), cost[0], max(most, cost[0])))
        height = np.interp(edges, cost, quality)
        width = edges[-1] - edges[0]
        return float(np.trapezoid(height, edges) / width) if width > 0 else float(quality[0])


def frontier(scores: Floats, prices: Floats, quality: Floats, costs: Floats) -> Frontier:
    """The frontier of choosing by `scores` (n, m) less λ times `prices` (m,), for every λ that matters.

    `quality` and `costs` (n, m) are what is then realised.
    """
    rows = np.arange(len(scores))
    spread = np.ptp(prices[~np.isnan(prices)])
    steps = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 121)]) / (spread or 1.0)
    found: list[tuple[float, float]] = []
    for price in steps:
        chosen = (scores - price * prices).argmax(axis=1)
        found.append((float(costs[rows, chosen].mean()), float(quality[rows, chosen].mean())))
    points = np.array(sorted(set(found)))
    return Frontier(points[:, 0], points[:, 1])


def hull(cost: Floats, quality: Floats) -> tuple[Floats, Floats]:
    """The upper, non-decreasing convex hull of points: what mixing two policies can reach."""
    order = np.lexsort((-quality, cost))
    points: list[tuple[float, float]] = []
    for x, y in zip(cost[order].tolist(), quality[order].tolist(), strict=True):
        if points and y <= points[-1][1]:
            continue
        while len(points) > 1 and _above(points[-2], points[-1], (x, y)):
            points.pop()
        points.append((x, y))
    xs, ys = zip(*points, strict=True)
    return np.array(xs), np.array(ys)


def _above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether `b` lies on or under the line from `a` to `c`."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])


def gap_closed(realised: Floats, best_single: Floats, oracle: Floats) -> Floats:
    """The share of the way from the best single candidate to the oracle; NaN where there is no way to go."""
    gap = oracle - best_single
    share: Floats = np.where(gap > 0, (realised - best_single) / np.where(gap > 0, gap, 1.0), np.nan)
    return share


@dataclass(frozen=True, slots=True)
class Reliability:
    """Forecast against measured, in bins of equal numbers: (b,) each."""

    forecast: Floats
    measured: Floats
    count: NDArray[np.int64]

    @property
    def ece(self) -> float:
        """Expected calibration error. Source: Naeini et al., 2015."""
        return float(np.average(np.abs(self.forecast - self.measured), weights=self.count))


def reliability(forecast: Floats, measured: Floats, bins: int = BINS) -> Reliability | None:
    """How forecasts of a 0-1 quality come true; None for fewer values than bins."""
    said, was = forecast.ravel(), measured.ravel()
    known = ~np.isnan(said) & ~np.isnan(was)
    said, was = said[known].clip(0.0, 1.0), was[known]
    if len(said) < bins:
        return None
    parts = np.array_split(np.lexsort((was, said)), bins)
    return Reliability(
        np.array([said[part].mean() for part in parts]),
        np.array([was[part].mean() for part in parts]),
        np.array([len(part) for part in parts], dtype=np.int64),
    )


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The weighted quantile of (n, m) values: the least one that `share` of the weight does not exceed."""
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return float("nan")
    found: Floats = values[known]
    weight: Floats = weights[known]
    order = np.argsort(found)
    summed: Floats = np.add.accumulate(weight[order])
    goal = share * float(summed[-1]) * (1 - 1e-12)
    return float(found[order[min(int((summed < goal).sum()), len(order) - 1)]])
