"""The figures of one window, as people and alerts read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.monitors.production.histogram import quantile
from edgewise.monitors.production.rings import RINGS
from edgewise.settings.alerts import DRIFT

if TYPE_CHECKING:
    from edgewise.monitors.production.monitor import ProductionMonitor
    from edgewise.monitors.production.tally import Tally

WINDOWS: Final = tuple(RINGS)
SECONDS: Final = {name: width * count for name, (width, count) in RINGS.items()}
DAY_S: Final = 86_400.0
DRIFT_WINDOW: Final = "24h"


class Figures(Struct, frozen=True):
    """One window in numbers. What cannot be told, for want of requests, feedback or prices, is None.

    Shares and rates go from 0 to 1, `quality` is the mean of feedback, latencies are seconds of answered
    requests, to within a hundredth. `cost_per_query` is USD over requests whose cost is known; `spent_usd` is
    all that was spent, shadows included. `budget_burn` is how many times faster than evenly over the day the
    budget is being spent, `budget_used` the share of today's budget that is gone. `samples` says how many
    requests or how much feedback each figure rests on.

    What the watch over drift tells stands in the window of 24 hours: `prompt_psi` is the largest population
    stability index of prompts' statistics, `far_share` the share of prompts unlike all that was learned from,
    `quality_shift` the quality lost against the forecast, `latency_shift` latency as a multiple of it, both
    of the worst candidate. `energy_per_query` is joules, an estimate, over requests of which one could be
    made. `where` says by figure what it comes from.
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
    prompt_psi: float | None = None
    far_share: float | None = None
    quality_shift: float | None = None
    latency_shift: float | None = None
    energy_per_query: float | None = None
    where: dict[str, str] | None = None


def figures_of(monitor: ProductionMonitor, window: str) -> Figures:
    """The figures of "5m", "1h", "24h" or "7d"."""
    tally = monitor.window(window)
    daily = monitor.budget.usd_per_day
    placed, finished = tally.edge + tally.cloud, tally.ok + tally.failed
    told = monitor.drift.figures() if monitor.drift is not None and window == DRIFT_WINDOW else {}
    samples = {
        **dict.fromkeys(DRIFT, 0),
        "edge_share": placed,
        "quality": tally.said,
        **dict.fromkeys(("p50_s", "p95_s", "p99_s"), tally.ok),
        "cost_per_query": tally.priced,
        "energy_per_query": tally.powered,
        "error_rate": finished,
        "fallback_rate": finished,
        **dict.fromkeys(("budget_burn", "budget_used"), tally.priced),
        **{name: figure.samples for name, figure in told.items()},
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
        energy_per_query=_ratio(tally.energy_j, tally.powered),
        spent_usd=tally.paid_usd,
        unpriced=tally.unpriced,
        error_rate=_ratio(tally.failed, finished),
        fallback_rate=_ratio(tally.fallbacks, finished),
        budget_burn=_burn(tally, window, daily),
        budget_used=None if daily is None else monitor.ledger.today.usd / daily,
        samples=samples,
        **{name: figure.value for name, figure in told.items()},
        where={name: figure.where for name, figure in told.items() if figure.where} or None,
    )


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _burn(tally: Tally, window: str, usd_per_day: float | None) -> float | None:
    return None if usd_per_day is None else tally.paid_usd / (usd_per_day * SECONDS[window] / DAY_S)
