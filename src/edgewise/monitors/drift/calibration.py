"""Are forecasts right on average, and their intervals wide enough? A reliability diagram in numbers."""

from __future__ import annotations

from math import exp, log, pi, sqrt
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.domain.intervals import wilson
from edgewise.monitors.drift.stream import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgewise.outcomes.comparing import Compared

BINS: Final = 10
FEWEST: Final = 10  # labels a bin
LEVEL: Final = 0.9  # of the intervals


class Bin(Struct, frozen=True):
    """Answers of about the same forecast: its mean, the mean quality that they had, and how sure that is.

    `error` is the standard error of `quality`; `low` and `high` are the mean bounds of the forecasts.
    """

    forecast: float
    quality: float
    error: float
    labels: int
    low: float
    high: float


class Coverage(Struct, frozen=True):
    """How many answers lay within their forecast's interval: `share` of `count`, with Wilson's interval.

    `level` is what it should be; `ratio` is latency over the forecast's middle, as a geometric mean.
    """

    count: int
    share: float
    low: float
    high: float
    level: float
    ratio: float


class Calibration(Struct, frozen=True):
    """One candidate: the reliability diagram of its quality, and the coverage of its latency.

    `ece` is the expected calibration error over ten equal bins (Naeini et al. 2015), and `by_chance` what
    forecasts that are quite right would show with so few labels. `covered` is the share of labels in bins
    whose mean quality lies within the mean interval: it is one of means, not of single answers.
    """

    candidate: str
    labels: int
    bins: tuple[Bin, ...] = ()
    ece: float | None = None
    by_chance: float | None = None
    covered: float | None = None
    latency: Coverage | None = None


def calibration_of(candidate: str, said: Iterable[Compared], ended: Iterable[Compared]) -> Calibration:
    """What feedback (`said`) and finished answers (`ended`) of one candidate show of its forecasts."""
    bins = _bins(list(said))
    labels = sum(one.labels for one in bins)
    latency = _coverage(list(ended))
    if not bins:
        return Calibration(candidate, labels, latency=latency)
    return Calibration(
        candidate,
        labels,
        bins,
        ece=sum(one.labels * abs(one.forecast - one.quality) for one in bins) / labels,
        by_chance=sum(one.labels * one.error * sqrt(2.0 / pi) for one in bins) / labels,
        covered=sum(one.labels for one in bins if one.low <= one.quality <= one.high) / labels,
        latency=latency,
    )


def _bins(rows: Sequence[Compared]) -> tuple[Bin, ...]:
    known = [
        (estimate, row.quality)
        for row in rows
        if row.quality is not None and (estimate := row.forecast_of("quality")) is not None
    ]
    known.sort(key=lambda pair: pair[0].mean)
    count = min(BINS, len(known) // FEWEST)
    found: list[Bin] = []
    for number in range(count):
        mine = known[len(known) * number // count : len(known) * (number + 1) // count]
        n = len(mine)
        quality = sum(label for _, label in mine) / n
        spread = sum((label - quality) ** 2 for _, label in mine) / n
        forecast, low, high = (
            sum(getattr(estimate, name) for estimate, _ in mine) / n for name in ("mean", "low", "high")
        )
        found.append(Bin(forecast, quality, sqrt((spread + 1.0 / (n * n)) / n), n, low, high))
    return tuple(found)


def _coverage(rows: Sequence[Compared]) -> Coverage | None:
    inside = count = 0
    logs = 0.0
    for row in rows:
        estimate, number = row.forecast_of("latency_s"), number_of(row, "latency_s", "forecast")
        if estimate is None or number is None or estimate.low >= estimate.high:
            continue
        count += 1
        inside += log(max(estimate.low, 1e-9)) <= log(row.latency_s) <= log(max(estimate.high, 1e-9))
        logs += number
    if not count:
        return None
    low, high = wilson(inside / count, count)
    return Coverage(count, inside / count, low, high, LEVEL, exp(logs / count))
