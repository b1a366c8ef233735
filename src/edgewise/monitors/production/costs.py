"""What was spent so far, and what a day and a month will come to if it goes on like this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.monitors.production.figures import DAY_S
from edgewise.monitors.production.rings import RINGS, total

if TYPE_CHECKING:
    from edgewise.monitors.production.monitor import ProductionMonitor

HOUR_S: Final = 3600.0
DAYS_A_MONTH: Final = 30


class Costs(Struct, frozen=True):
    """Spending in USD, shadows included; calls without a price (`unpriced`, of 7 days) are in no sum.

    `today` is the calendar day's so far; `day_projected` is what today will come to, `month_projected` what
    30 days will. Both are None below an hour of traffic; `basis` says what they rest on.
    """

    today: float
    last_24h: float
    last_7d: float
    day_projected: float | None
    month_projected: float | None
    usd_per_day: float | None
    unpriced: int
    basis: str


def costs_of(monitor: ProductionMonitor) -> Costs:
    """The costs at this moment."""
    week = monitor.buckets("7d")
    observed_s = monitor.now - _began(monitor)
    summed = total(tally for _, tally in week)
    day = monitor.window("24h").paid_usd
    today = monitor.ledger.today.usd
    if observed_s < HOUR_S or not summed.requests:
        basis = "not projected: the log holds less than an hour"
        day_projected = month_projected = None
    else:
        daily_pace = day / min(observed_s, DAY_S)
        day_projected = today + daily_pace * monitor.ledger.rest_s
        month_projected = summed.paid_usd / observed_s * DAY_S * DAYS_A_MONTH
        basis = (
            f"today: so far, and the pace of the last {min(observed_s, DAY_S) / HOUR_S:.0f} h for the rest "
            f"of the day; 30 days: the pace of the last {observed_s / HOUR_S:.0f} h"
        )
    return Costs(
        today,
        day,
        summed.paid_usd,
        day_projected,
        month_projected,
        monitor.budget.usd_per_day,
        summed.unpriced,
        basis,
    )


def _began(monitor: ProductionMonitor) -> float:
    """About when the first request of the last 7 days ended: as exactly as the finest bucket with it says."""
    began, width_s = monitor.now, RINGS["7d"][0]
    for window in ("7d", "24h", "1h"):
        filled = [start for start, tally in monitor.buckets(window) if tally.requests]
        if not filled or (window != "7d" and filled[0] - began >= width_s):
            break
        began = filled[0] if window == "7d" else max(began, filled[0])
        width_s = RINGS[window][0]
    return began
