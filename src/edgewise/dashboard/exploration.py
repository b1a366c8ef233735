"""What trying out others than the favourite took: by what was forecast of both, and as measured."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.decisions import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgewise.domain.decisions import Forecast
    from edgewise.outcomes.foreseen import Foreseen

NORMAL: Final = 1.96
FEWEST: Final = 10  # numbers that have an interval


class Group(Struct, frozen=True):
    """Choices that are alike: how many, how many were rated, and means of what came of them.

    Means have 95 % intervals (normal ones); None with fewer than ten numbers.
    """

    choices: int
    rated: int
    quality: Estimate | None
    cost_usd: Estimate | None
    latency_s: Estimate | None


class Exploration(Struct, frozen=True):
    """Choices against the favourite beside the others, among decisions with forecasts.

    `usd` is what the choices against it cost more than the favourite would have, as a sum of forecasts over
    `priced` of them; `quality` what they gave up on average and `latency_s` how much longer they took, by
    forecasts, too. None where nothing was forecast.
    """

    explored: Group
    favourites: Group
    usd: float | None
    priced: int
    quality: float | None
    latency_s: float | None


def spent_on(rows: Sequence[Foreseen]) -> Exploration:
    """What exploration took in these decisions."""
    explored = [(row, best) for row in rows if (best := _passed_over(row)) is not None]
    usd = list(_differences(explored, "cost_usd"))
    slower = list(_differences(explored, "latency_s"))
    better = list(_differences(explored, "quality"))
    return Exploration(
        _group([row for row, _ in explored]),
        _group([row for row in rows if _passed_over(row) is None]),
        usd=sum(usd) if usd else None,
        priced=len(usd),
        quality=-sum(better) / len(better) if better else None,
        latency_s=sum(slower) / len(slower) if slower else None,
    )


def _passed_over(row: Foreseen) -> str | None:
    """The favourite, where the draw fell on somebody less likely; even odds have no favourite."""
    best = max(row.odds, key=row.odds.__getitem__, default=row.chosen)
    return best if row.odds.get(row.chosen, 1.0) < row.odds.get(best, 0.0) else None


def _differences(explored: Iterable[tuple[Foreseen, str]], metric: str) -> Iterable[float]:
    """What was forecast of whom chance chose, less what was forecast of the favourite."""
    for row, best in explored:
        chosen, other = (_mean(row.forecasts.get(name), metric) for name in (row.chosen, best))
        if chosen is not None and other is not None:
            yield chosen - other


def _mean(forecast: Forecast | None, metric: str) -> float | None:
    found: Estimate | None = None if forecast is None else getattr(forecast, metric)
    return None if found is None else found.mean


def _group(rows: Sequence[Foreseen]) -> Group:
    rated = [row.quality for row in rows if row.quality is not None and not row.failed]
    return Group(
        len(rows),
        len(rated),
        quality=_estimate(rated, most=1.0),
        cost_usd=_estimate([row.cost_usd for row in rows if row.cost_usd is not None]),
        latency_s=_estimate([row.latency_s for row in rows if row.latency_s is not None and not row.failed]),
    )


def _estimate(numbers: Sequence[float], most: float = float("inf")) -> Estimate | None:
    count = len(numbers)
    if count < FEWEST:
        return None
    mean = sum(numbers) / count
    half = NORMAL * sqrt(sum((one - mean) ** 2 for one in numbers) / (count - 1) / count)
    return Estimate(mean, max(0.0, mean - half), min(most, mean + half))
