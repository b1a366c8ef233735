"""One number for how the traffic fares, and everything that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from edgewise.monitors.drift.report import DriftReport
from edgewise.monitors.production.advice import Recommendation, recommendations
from edgewise.monitors.production.alerts import Alert
from edgewise.monitors.production.costs import Costs, costs_of
from edgewise.monitors.production.figures import WINDOWS, Figures, figures_of
from edgewise.monitors.production.trends import Trend, trends_of
from edgewise.monitors.production.wording import said
from edgewise.settings.alerts import LOW_IS_BAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgewise.monitors.production.monitor import ProductionMonitor
    from edgewise.settings import Settings
    from edgewise.settings.alerts import Rule

Status = Literal["excellent", "good", "fair", "poor", "critical", "unknown"]
# From which score on, as published.
STATUSES: Final[tuple[tuple[float, Status], ...]] = (
    (90.0, "excellent"), (75.0, "good"), (60.0, "fair"), (40.0, "poor"), (0.0, "critical"),
)  # fmt: skip
EXIT_CODES: Final[dict[Status, int]] = {
    "excellent": 0, "good": 0, "fair": 3, "poor": 4, "critical": 5, "unknown": 6,
}  # fmt: skip
# Figure → the most points that it can cost, and where they are all gone, as a multiple of the alert's limit
# (of its distance from 1 for shares of which more is better).
WEIGHTS: Final = {
    "quality": (30.0, 3.0),
    "error_rate": (30.0, 5.0),
    "edge_share": (20.0, 3.0),
    "p95_s": (20.0, 3.0),
    "cost_per_query": (15.0, 3.0),
    "fallback_rate": (10.0, 5.0),
    "budget_burn": (10.0, 2.0),
}
EACH_ALERT: Final = 5.0
MOST_FOR_ALERTS: Final = 30.0
PERIOD: Final = "24h"


class Part(Struct, frozen=True):
    """What one figure took from the score: `lost` of at most `most` points. `sentence` says why."""

    name: str
    lost: float
    most: float
    sentence: str


class Health(Struct, frozen=True):
    """The report. `score` is 100 less what the parts lost, None where nothing can be said (`unknown`).

    `at` is unix seconds, `period` the window that the parts are judged over. `drift` is what the watch over
    drift found; None where nobody watched.
    """

    at: float
    period: str
    score: float | None
    status: Status
    parts: tuple[Part, ...]
    figures: tuple[Figures, ...]
    trends: tuple[Trend, ...]
    alerts: tuple[Alert, ...]
    costs: Costs
    recommendations: tuple[Recommendation, ...]
    drift: DriftReport | None = None

    @property
    def exit_code(self) -> int:
        """What `edgewise health` ends with."""
        return EXIT_CODES[self.status]


def health_of(
    monitor: ProductionMonitor, rules: Sequence[Rule], alerts: Iterable[Alert], settings: Settings
) -> Health:
    """How the traffic fares under `rules`, with the alerts that stand."""
    standing = tuple(alerts)
    by_window = {window: figures_of(monitor, window) for window in WINDOWS}
    day = by_window[PERIOD]
    limits = _limits(rules)
    parts = tuple(
        part for name in WEIGHTS if name in limits and (part := _part(limits[name], day)) is not None
    )
    known = bool(parts)
    parts = (*parts, _alerts_part(standing))
    score = round(max(0.0, 100.0 - sum(part.lost for part in parts)), 1) if known else None
    costs = costs_of(monitor)
    return Health(
        at=monitor.now,
        period=PERIOD,
        score=score,
        status=status_of(score),
        parts=parts,
        figures=tuple(by_window.values()),
        trends=trends_of(monitor),
        alerts=standing,
        costs=costs,
        recommendations=recommendations(day, monitor.window(PERIOD), limits, settings),
        drift=None if monitor.drift is None else monitor.drift.report(),
    )


def status_of(score: float | None) -> Status:
    """The word for a score."""
    if score is None:
        return "unknown"
    return next(status for least, status in STATUSES if score >= least)


def _limits(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The first rule of each figure: the limits that the operator set are what the score goes by."""
    found: dict[str, Rule] = {}
    for rule in rules:
        found.setdefault(rule.figure, rule)
    return found


def _part(rule: Rule, figures: Figures) -> Part | None:
    """Nothing is lost inside the limit, all of it at the far end, and in between in proportion."""
    value: float | None = getattr(figures, rule.figure)
    if value is None or figures.samples[rule.figure] < rule.least:
        return None
    most, factor = WEIGHTS[rule.figure]
    limit = rule.band.enter
    if LOW_IS_BAD[rule.figure]:
        far = max(0.0, 1.0 - factor * (1.0 - limit))
        beyond = (limit - value) / max(limit - far, 1e-9)
    else:
        beyond = (value - limit) / (limit * (factor - 1.0))
    lost = round(most * min(1.0, max(0.0, beyond)), 1)
    side = "at least" if LOW_IS_BAD[rule.figure] else "at most"
    sentence = f"{said(rule.figure, value)}, wanted {side} {said(rule.figure, limit)}"
    return Part(rule.figure, lost, most, sentence)


def _alerts_part(standing: Sequence[Alert]) -> Part:
    """Five points an alert, as published; one that somebody knows of still counts."""
    lost = min(MOST_FOR_ALERTS, EACH_ALERT * len(standing))
    return Part("alerts", lost, MOST_FOR_ALERTS, f"{len(standing)} standing")
