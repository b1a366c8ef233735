"""The frontier of logged traffic, estimated doubly robustly from what was chosen by chance.

Source: Dudík, Langford and Li, "Doubly Robust Policy Evaluation and Learning", 2011. Intervals are normal
ones of means over prompts (the same prompt counts as one draw).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from edgewise.domain.decisions import Estimate
from edgewise.domain.objectives import Measured, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.decisions import Forecast
    from edgewise.outcomes.foreseen import Foreseen

    Floats = NDArray[np.float64]

NORMAL: Final = 1.96
LEAST_RATED: Final = 30
POINTS: Final = 25
# What quality is weighed against → the objective whose number the handle moves.
AXES: Final[Mapping[str, str]] = {
    "cost_usd": "quality-at-cost",
    "latency_s": "fastest-at-quality",
    "energy_j": "leanest-at-quality",
}
FLOORS: Final = tuple(round(0.04 * step, 2) for step in range(POINTS + 1))


class Point(Struct, frozen=True):
    """What one policy would come to on the logged requests, a mean with its 95 % interval each.

    `objective` is the spelling that serves it; empty for a single candidate and for the log itself. `quality`
    is 0 to 1, `price` a request's USD, seconds or joules. `foreseen_quality` is what the bundle believes.
    `regret` is the quality given up against the policy that asks for quality alone. `share` is by candidate.
    """

    name: str
    objective: str
    quality: Estimate
    price: Estimate
    foreseen_quality: float
    regret: Estimate
    share: dict[str, float]


class Frontier(Struct, frozen=True):
    """The points from dearest to cheapest setting, the single candidates, and the log as it was (measured).

    `is_measured` says that quality rests on `rated` rated answers; otherwise all of it is the bundle's own
    forecast, and no interval of it means anything. `price_is_measured` says the same of the price.
    """

    axis: str
    points: tuple[Point, ...]
    singles: tuple[Point, ...]
    today: Point
    rows: int
    rated: int
    is_measured: bool
    price_is_measured: bool


@dataclass(frozen=True, slots=True)
class _Log:
    """n decisions among m candidates. `offered` (n, m); NaN where a value is unknown.

    `share` (n,) is how much of the traffic a row stands for: where only some answers were rated, a failure,
    which needs no rating, would otherwise count too much.
    """

    names: tuple[str, ...]
    offered: NDArray[np.bool_]
    chosen: NDArray[np.intp]
    propensity: Floats
    quality: Floats
    price: Floats
    forecasts: Measured
    foreseen_price: Floats
    prompts: NDArray[np.intp]
    share: Floats

    def wanted(self, objective: Objective) -> NDArray[np.intp]:
        """(n,) whom the objective would ask."""
        utility = np.asarray(objective.utility(self.forecasts), dtype=np.float64)
        shown: Floats = np.where(self.offered, np.nan_to_num(utility, nan=-np.inf), -np.inf)
        favourites: NDArray[np.intp] = shown.argmax(axis=1)
        return favourites


def frontier(rows: Sequence[Foreseen], axis: str = "cost_usd") -> Frontier | None:
    """The frontier of these decisions; None where their forecasts do not say what the axis needs."""
    usable = [row for row in rows if _tells(row.forecasts, row.odds, axis)]
    if not usable:
        return None
    log = _logged(usable, axis)
    rated = int((~np.isnan(log.quality)).sum())
    is_measured = rated >= LEAST_RATED
    priced = bool((~np.isnan(log.price)).mean() > 0.5)  # noqa: PLR2004 - most of them
    best = _scores(log, log.wanted(Objective("quality-at-cost")), is_measured=is_measured)
    points = [
        _point(log, log.wanted(objective), objective.spelling, best, is_measured=is_measured, priced=priced)
        for objective in _settings(log, axis)
    ]
    singles = [
        _point(log, _always(log, at), "", best, is_measured=is_measured, priced=priced, name=name)
        for at, name in enumerate(log.names)
    ]
    return Frontier(
        axis,
        tuple(_distinct(points)),
        tuple(singles),
        _today(log, best),
        len(usable),
        rated,
        is_measured,
        priced,
    )


def _tells(forecasts: Mapping[str, Forecast], odds: Mapping[str, float], axis: str) -> bool:
    return all(
        (one := forecasts.get(name)) is not None
        and one.quality is not None
        and getattr(one, axis) is not None
        for name in odds
    )


def _logged(rows: Sequence[Foreseen], axis: str) -> _Log:
    names = tuple(dict.fromkeys(name for row in rows for name in row.odds))
    place = {name: at for at, name in enumerate(names)}
    keys = {key: at for at, key in enumerate(dict.fromkeys(row.key for row in rows))}

    def foreseen(metric: str) -> Floats:
        return np.array(
            [
                [_mean(row.forecasts.get(name), metric) if name in row.odds else np.nan for name in names]
                for row in rows
            ],
            dtype=np.float64,
        )

    measured = [getattr(row, axis, None) for row in rows]
    answered = [row.quality is not None for row in rows if not row.failed]
    rated = sum(answered) / len(answered) if answered else 1.0
    return _Log(
        names=names,
        offered=np.array([[name in row.odds for name in names] for row in rows], dtype=np.bool_),
        chosen=np.array([place[row.chosen] for row in rows], dtype=np.intp),
        propensity=np.array([row.propensity for row in rows]),
        quality=np.array([np.nan if row.quality is None else row.quality for row in rows]),
        price=np.array([np.nan if value is None else value for value in measured], dtype=np.float64),
        forecasts=Measured(quality=foreseen("quality"), **{axis: foreseen(axis)}),
        foreseen_price=foreseen(axis),
        prompts=np.array([keys[row.key] for row in rows], dtype=np.intp),
        share=np.array([rated if row.failed else 1.0 for row in rows]),
    )


def _mean(forecast: Forecast | None, metric: str) -> float:
    found: Estimate | None = None if forecast is None else getattr(forecast, metric)
    return np.nan if found is None else found.mean


def _settings(log: _Log, axis: str) -> list[Objective]:
    """The settings at which choices change, spread over the traffic."""
    name = AXES[axis]
    if axis != "cost_usd":
        return [Objective(name, floor=floor) for floor in reversed(FLOORS)]
    quality, price = log.forecasts.quality, 1000.0 * log.foreseen_price
    weights = [np.zeros(1)]
    for one in range(len(log.names)):
        for other in range(len(log.names)):
            gain, cost = quality[:, one] - quality[:, other], price[:, one] - price[:, other]
            turns = gain[cost > 0] / cost[cost > 0]
            weights.append(turns[np.isfinite(turns) & (turns > 0)])
    found = np.unique(np.concatenate(weights))
    picked = np.unique(np.quantile(found, np.linspace(0.0, 1.0, POINTS), method="higher"))
    # A hair beyond the last turn nobody pays for quality any more.
    return [Objective(name, weight=float(f"{weight:.4g}")) for weight in (*picked, picked[-1] * 1.01 + 1e-9)]


def _always(log: _Log, candidate: int) -> NDArray[np.intp]:
    """(n,) the candidate; where it was not on the shortlist, whoever was chosen."""
    return np.where(log.offered[:, candidate], candidate, log.chosen)


def _scores(log: _Log, wanted: NDArray[np.intp], *, is_measured: bool) -> Floats:
    """(n,) doubly robust scores of quality; NaN where nobody knows how good the answer was."""
    return _robust(log, wanted, log.forecasts.quality, log.quality, is_measured=is_measured)


def _robust(
    log: _Log, wanted: NDArray[np.intp], foreseen: Floats, measured: Floats, *, is_measured: bool
) -> Floats:
    rows = np.arange(len(log.chosen))
    believed: Floats = foreseen[rows, wanted]
    if not is_measured:
        return believed
    weight = (wanted == log.chosen) / log.propensity
    corrected: Floats = believed + weight * (measured - foreseen[rows, log.chosen])
    return corrected


def _point(  # noqa: PLR0913 - a policy and how it is judged
    log: _Log,
    wanted: NDArray[np.intp],
    objective: str,
    best: Floats,
    *,
    is_measured: bool,
    priced: bool,
    name: str = "",
) -> Point:
    scores = _scores(log, wanted, is_measured=is_measured)
    price = _robust(log, wanted, log.foreseen_price, log.price, is_measured=priced)
    share = np.bincount(wanted, minlength=len(log.names)) / len(wanted)
    believed: Floats = log.forecasts.quality[np.arange(len(wanted)), wanted]
    return Point(
        name or objective,
        objective,
        _estimate(log, scores),
        _estimate(log, price, even=True),
        float(np.nanmean(believed)),
        _estimate(log, best - scores),
        {candidate: float(share[at]) for at, candidate in enumerate(log.names)},
    )


def _today(log: _Log, best: Floats) -> Point:
    """What the log measured: no estimate of anything else."""
    share = np.bincount(log.chosen, minlength=len(log.names)) / len(log.chosen)
    believed: Floats = log.forecasts.quality[np.arange(len(log.chosen)), log.chosen]
    return Point(
        "today",
        "",
        _estimate(log, log.quality),
        _estimate(log, log.price, even=True),
        float(np.nanmean(believed)),
        _estimate(log, best - log.quality),
        {candidate: float(share[at]) for at, candidate in enumerate(log.names)},
    )


def _estimate(log: _Log, scores: Floats, *, even: bool = False) -> Estimate:
    """A mean with its normal 95 % interval; prompts that repeat are one draw. All NaN without two of them.

    `even` counts all rows alike.
    """
    known = ~np.isnan(scores)
    values, groups = scores[known], log.prompts[known]
    share = np.ones(len(values)) if even else log.share[known]
    distinct, whole = len(np.unique(groups)), float(share.sum())
    if distinct < 2 or whole <= 0.0:  # noqa: PLR2004 - a spread needs two
        return Estimate(np.nan, np.nan, np.nan)
    mean = float((share * values).sum() / whole)
    sums = np.bincount(groups, weights=share * (values - mean))
    half = NORMAL * float(np.sqrt((sums**2).sum() * distinct / (distinct - 1))) / whole
    return Estimate(mean, mean - half, mean + half)


def _distinct(points: Sequence[Point]) -> list[Point]:
    """The points that differ from their neighbour; settings between them choose alike."""
    kept = [points[0]]
    for point in points[1:]:
        if (point.quality.mean, point.price.mean, point.share) != (
            kept[-1].quality.mean,
            kept[-1].price.mean,
            kept[-1].share,
        ):
            kept.append(point)
    return kept
