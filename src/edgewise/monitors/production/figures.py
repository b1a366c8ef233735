"""The figures of one window, as people and alerts read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.monitors.production.histogram import quantile
from edgewise.monitors.production.rings import RINGS

if TYPE_CHECKING:
    from edgewise.monitors.production.monitor import ProductionMonitor
    from edgewise.monitors.production.tally import Tally

WINDOWS: Final = tuple(RINGS)
SECONDS: Final = {name: width * count for name, (width, count) in RINGS.items()}
DAY_S: Final = 86_400.0


class Figures(Struct, frozen=True):
    """One window in numbers. What cannot be told, for want of requests, feedback or prices, is None.

    Shares and rates go from 0 to 1, `quality` is the mean of feedback, latencies are seconds of answered
    requests, to within a hundredth. `cost_per_query` is USD over requests whose cost is known; `spent_usd` is
    all that was spent, shadows included. `budget_burn` is how many times faster than evenly over the day the
    budget is being spent, `budget_used` the share of today's budget that is gone. `samples` says how many
    requests or how much feedback each figure rests on.
    """

    window: str
    requests: int
    edge_share: float | None
    quality: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    cost_per_query: float | None
    spent_usd: float
    unpriced: int
    error_rate: float | None
    fallback_rate: float | None
    budget_burn: float | None
    budget_used: float | None
    samples: dict[str, int]


def figures_of(monitor: ProductionMonitor, window: str) -> Figures:
    """The figures of "5m", "1h", "24h" or "7d"."""
    tally = monitor.window(window)
    daily = monitor.budget.usd_per_day
    placed, finished = tally.edge + tally.cloud, tally.ok + tally.failed
    samples = {
        "edge_share": placed,
        "quality": tally.said,
        **dict.fromkeys(("p50_s", "p95_s", "p99_s"), tally.ok),
        "cost_per_query": tally.priced,
        "error_rate": finished,
        "fallback_rate": finished,
        **dict.fromkeys(("budget_burn", "budget_used"), tally.priced),
    }
    return Figures(
        window=window,
        requests=tally.requests,
        edge_share=_ratio(tally.edge, placed),
        quality=_ratio(tally.quality, tally.said),
        p50_s=quantile(tally.took, 0.50),
        p95_s=quantile(tally.took, 0.95),
        p99_s=quantile(tally.took, 0.99),
        cost_per_query=_ratio(tally.cost_usd, tally.priced),
        spent_usd=tally.paid_usd,
        unpriced=tally.unpriced,
        error_rate=_ratio(tally.failed, finished),
        fallback_rate=_ratio(tally.fallbacks, finished),
        budget_burn=_burn(tally, window, daily),
        budget_used=None if daily is None else monitor.ledger.today.usd / daily,
        samples=samples,
    )


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _burn(tally: Tally, window: str, usd_per_day: float | None) -> float | None:
    return None if usd_per_day is None else tally.paid_usd / (usd_per_day * SECONDS[window] / DAY_S)
