"""How the traffic fares, in cards: the score with its parts, and the alerts that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.html import Child, Html, h, joined
from edgewise.dashboard.layout import button
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.monitors.production import Alert, Health
    from edgewise.monitors.production.trends import Trend

STATES: Final = {"excellent": "good", "good": "good", "fair": "warn", "poor": "bad", "critical": "bad"}
NAMES: Final = {
    "quality": "quality of feedback",
    "error_rate": "failed requests",
    "edge_share": "share at the edge",
    "p95_s": "latency, 95th percentile",
    "typical_s": "typical latency",
    "cost_per_query": "cost of a request",
    "fallback_rate": "answered by another",
    "budget_burn": "pace of the budget",
    "alerts": "standing alerts",
}
UNITS: Final = {
    "quality": units.quality,
    "typical_s": units.seconds,
    "cost_per_query": units.usd,
}
VERDICTS: Final = {"improving": "good", "declining": "bad"}


def alerts_card(standing: Sequence[Alert]) -> Html:
    """A line for each alert that stands; nothing where none does."""
    return joined([_alert(alert) for alert in standing])


def _alert(alert: Alert) -> Html:
    known = alert.acknowledged_at is not None
    since = ["since ", units.moment(alert.first_at)]
    end: Child = (
        h.span("you know of it", class_="note")
        if known
        else button("I know", "/now/acknowledge", "quiet", alert=alert.name)
    )
    said = h.span(h.strong(alert.name), " ", alert.sentence, " ", h.span(since, class_="note"))
    return h.div(said, end, class_=f"notice row {'warn' if known else 'bad'}", role="status")


def health_card(health: Health) -> Html:
    """The score, what it lost where, what is getting better or worse, and what to do about it."""
    score = units.UNKNOWN if health.score is None else f"{health.score:.0f}"
    head = h.div(
        h.h2("Health"),
        h.span(
            h.span(health.status, class_=f"badge {STATES.get(health.status, '')}".strip()),
            f" {score} of 100, over {health.period}",
        ),
        class_="head",
    )
    if health.score is None:
        why = h.p("Too few requests for a score yet; the parts below say what there is.", class_="quiet-text")
    else:
        why = None
    parts = [
        (
            NAMES.get(part.name, part.name),
            f"{part.lost:g} of {part.most:g}" if part.lost else "nothing",
            part.sentence,
        )
        for part in health.parts
    ]
    return joined(
        (
            head,
            why,
            h.div(
                table(
                    ("part", "lost", "is and should be"), parts, caption="What the score lost", numbers=(1,)
                ),
                _trends(health.trends),
                class_="grid",
            ),
            _advice(health),
            h.p("Spending: ", _costs(health), class_="note"),
        )
    )


def _trends(trends: Sequence[Trend]) -> Html:
    rows = [
        (
            NAMES.get(trend.figure, trend.figure),
            _said(trend, trend.before),
            _said(trend, trend.now),
            h.span(trend.verdict, class_=f"badge {VERDICTS.get(trend.verdict, '')}".strip()),
        )
        for trend in trends
    ]
    columns = ("figure", "12 h before", "last 12 h", "trend")
    return table(columns, rows, caption="Trends", numbers=(1, 2))


def _said(trend: Trend, value: float | None) -> str:
    return UNITS.get(trend.figure, units.share)(value)


def _advice(health: Health) -> Html | None:
    if not health.recommendations:
        return None
    said = [
        h.li(h.code(one.setting), f": {one.advice}. ", h.span(f"{one.expected}.", class_="note"))
        for one in health.recommendations
    ]
    return joined((h.h3("What would help"), h.ul(said, class_="advice")))


def _costs(health: Health) -> str:
    costs = health.costs
    today = f"{units.usd(costs.today)} today"
    limit = "" if costs.usd_per_day is None else f" of {units.usd(costs.usd_per_day)}"
    if costs.day_projected is None:
        return f"{today}{limit}; {costs.basis}."
    return (
        f"{today}{limit}, {units.usd(costs.day_projected)} by the end of the day, "
        f"{units.usd(costs.month_projected)} in 30 days ({costs.basis})."
    )
