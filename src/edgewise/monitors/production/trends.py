"""Whether a figure of the last day is better or worse than before, and whether that is more than chance."""

from __future__ import annotations

from math import erfc, exp, sqrt
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from edgewise.monitors.production.histogram import log_moments
from edgewise.monitors.production.rings import total

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.monitors.production.monitor import ProductionMonitor
    from edgewise.monitors.production.tally import Tally

    Moments = tuple[int, float, float]

Verdict = Literal["improving", "declining", "stable", "too little data"]
HALF_S: Final = 43_200.0
FEWEST: Final = 30  # on each side: below, a mean is no more than an anecdote
LEVEL: Final = 0.05
BETTER_UP: Final = frozenset({"edge_share", "quality"})


class Trend(Struct, frozen=True):
    """A figure in the last twelve hours against the twelve before, by Welch's test.

    `p_value` is two-sided. The verdict is other than stable where it is below 0.05 over the number of trends
    (Bonferroni). `typical_s` compares geometric means of latency: they bear comparison, means do not.
    """

    figure: str
    before: float | None
    now: float | None
    p_value: float | None
    verdict: Verdict


def _share(part: int, whole: int) -> Moments:
    """A share, never surer than one more of each kind would leave it (Agresti and Caffo 2000)."""
    mended = (part + 1) / (whole + 2)
    return whole, part / whole if whole else 0.0, mended * (1.0 - mended)


def _mean(count: int, summed: float, squares: float) -> Moments:
    if not count:
        return 0, 0.0, 0.0
    mean = summed / count
    return count, mean, max(0.0, squares / count - mean * mean)


READ: Final[dict[str, Callable[[Tally], Moments]]] = {
    "edge_share": lambda t: _share(t.edge, t.edge + t.cloud),
    "quality": lambda t: _mean(t.said, t.quality, t.quality_squares),
    "typical_s": lambda t: log_moments(t.took),
    "cost_per_query": lambda t: _mean(t.priced, t.cost_usd, t.cost_squares),
    "error_rate": lambda t: _share(t.failed, t.ok + t.failed),
    "fallback_rate": lambda t: _share(t.fallbacks, t.ok + t.failed),
}


def trends_of(monitor: ProductionMonitor) -> tuple[Trend, ...]:
    """The trends of the last 24 hours."""
    middle = monitor.now - HALF_S
    buckets = monitor.buckets("24h")
    before = total(tally for began, tally in buckets if began < middle)
    now = total(tally for began, tally in buckets if began >= middle)
    return tuple(_trend(name, read(before), read(now)) for name, read in READ.items())


def _trend(name: str, before: Moments, now: Moments) -> Trend:
    shown = exp if name == "typical_s" else float
    old, new = (shown(moments[1]) if moments[0] else None for moments in (before, now))
    if before[0] < FEWEST or now[0] < FEWEST:
        return Trend(name, old, new, None, "too little data")
    error = sqrt(before[2] / before[0] + now[2] / now[0])
    change = now[1] - before[1]
    p_value = erfc(abs(change) / error / sqrt(2.0)) if error > 0.0 else float(change == 0.0)
    if p_value >= LEVEL / len(READ):
        return Trend(name, old, new, p_value, "stable")
    better = (change > 0.0) == (name in BETTER_UP)
    return Trend(name, old, new, p_value, "improving" if better else "declining")
