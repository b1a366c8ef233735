from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import fields
from tests.monitors.production.test_production_monitor import PLACES, said, story

from edgewise.monitors.clock import SettableClock
from edgewise.monitors.production import Health, ProductionMonitor, health_of
from edgewise.monitors.production.alerts import Alert
from edgewise.monitors.production.health import status_of
from edgewise.settings import Settings
from edgewise.settings.alerts import DEFAULTS
from edgewise.settings.schema import BudgetSettings, ExecutionSettings

NOON = 1_790_078_400.0 - 1_790_078_400.0 % 86_400 + 43_200.0
DAY = BudgetSettings(usd_per_day=10.0)
ALERT = Alert("latency", "p95_s", "5m", 0.15, 0.3, 100, 50.0, 60.0)


def hours(
    *each: tuple[str, dict[str, Any]], quality: tuple[float, float] = (0.95, 0.95)
) -> ProductionMonitor:
    """24 hours up to noon, every hour with the same requests; quality changes in the middle."""
    clock = SettableClock(wall=NOON - 86_400.0 + 1800.0)
    monitor = ProductionMonitor(PLACES, budget=DAY, clock=clock)
    for hour in range(24):
        for by, changes in each:
            for record in story(clock.wall(), by=by, **changes):
                monitor.observe(record)
        for noise in (-0.02, 0.02, 0.0, 0.01):
            monitor.observe(said(clock.wall(), quality=quality[hour >= 12] + noise))
        clock.advance(3600.0)
    clock.advance(-1800.0)
    return monitor


def report(monitor: ProductionMonitor, *alerts: Alert, **changes: Any) -> Health:
    return health_of(monitor, DEFAULTS, alerts, Settings(budget=DAY, **changes))


FAST: dict[str, Any] = {"latency_s": 0.08, "cost_usd": 0.0}
WELL: list[tuple[str, dict[str, Any]]] = [
    ("phi", FAST), ("phi", FAST), ("phi", FAST), ("phi", FAST), ("phi", FAST),
    ("phi", FAST), ("phi", FAST), ("phi", FAST), ("phi", FAST),
    ("gpt", {"latency_s": 0.1, "cost_usd": 0.01}),
]  # fmt: skip


def test_all_well_is_a_hundred() -> None:
    found = report(hours(*WELL))
    assert (found.score, found.status, found.exit_code) == (100.0, "excellent", 0)
    assert {part.name: part.lost for part in found.parts} == dict.fromkeys(
        ("quality", "error_rate", "edge_share", "p95_s", "cost_per_query", "fallback_rate", "budget_burn",
         "alerts"), 0.0,
    )  # fmt: skip
    assert all(trend.verdict == "stable" for trend in found.trends)
    assert [said.setting for said in found.recommendations] == []


def test_trouble_costs_points_that_add_up_and_names_the_setting() -> None:
    slow: dict[str, Any] = {"latency_s": 0.225, "cost_usd": 0.05}
    failed: dict[str, Any] = {"status": "error", "cost_usd": 0.0}
    found = report(hours(*[("gpt", slow)] * 6, *[("phi", FAST)] * 3, ("phi", failed)), ALERT)
    lost = {part.name: part.lost for part in found.parts}
    assert lost["edge_share"] == 20.0
    assert lost["p95_s"] == pytest.approx(5.0, abs=0.3)
    assert lost["error_rate"] == pytest.approx(30.0 * 0.05 / 0.20)
    assert lost["cost_per_query"] == 15.0
    assert lost["alerts"] == 5.0
    assert found.score == pytest.approx(100.0 - sum(lost.values()), abs=0.051)
    advised = {said.setting: said for said in found.recommendations}
    assert set(advised) == {
        "execution.retries", "objective.cloud_share", "execution.hedge", "objective.usd_per_1k",
    }  # fmt: skip
    assert "set it to 0.2" in advised["objective.cloud_share"].advice
    # 24 hours of 10 requests, 40 % of them at the edge: 96 more make it 80 %, at 0.05 USD each.
    assert advised["objective.cloud_share"].expected.startswith("96 of the last day's 240 requests")
    assert "saves $4.80 a day" in advised["objective.cloud_share"].expected
    assert "set it to 10," in advised["objective.usd_per_1k"].advice


def test_every_setting_that_is_named_exists() -> None:
    worst: dict[str, Any] = {"latency_s": 9.0, "cost_usd": 0.5}
    failed: dict[str, Any] = {"status": "error", "cost_usd": None, "cost_state": "unpriced"}
    monitor = hours(*[("gpt", worst)] * 5, *[("gpt", failed)] * 5, quality=(0.3, 0.3))
    sections = {field.name: field.type for field in fields(Settings)}
    seen: set[str] = set()
    for execution in (ExecutionSettings(), ExecutionSettings(fallback=False, hedge=True)):
        for advised in report(monitor, execution=execution).recommendations:
            seen.add(advised.setting)
            section, _, name = advised.setting.partition(".")
            if name:
                kind: Any = sections[section]
                kind = getattr(kind, "__args__", (kind,))[0]
                assert name in {field.name for field in fields(kind)}, advised.setting
    assert {"execution.fallback", "alerts.above", "budget.usd_per_day", "candidates.price"} <= seen


def test_a_fall_in_quality_is_seen_and_noise_is_not() -> None:
    falling = {t.figure: t for t in report(hours(*WELL, quality=(0.95, 0.90))).trends}
    assert falling["quality"].verdict == "declining"
    assert falling["quality"].before == pytest.approx(0.9525)
    rising = {t.figure: t for t in report(hours(*WELL, quality=(0.80, 0.90))).trends}
    assert rising["quality"].verdict == "improving"
    assert rising["error_rate"].verdict == "stable"


def test_too_little_is_not_a_score() -> None:
    clock = SettableClock(wall=NOON)
    monitor = ProductionMonitor(PLACES, clock=clock)
    empty = report(monitor)
    assert (empty.score, empty.status, empty.exit_code) == (None, "unknown", 6)
    assert empty.costs.day_projected is None
    assert all(trend.verdict == "too little data" for trend in empty.trends)


def test_costs_are_projected_from_what_was_spent() -> None:
    costs = report(hours(*WELL)).costs
    assert costs.today == pytest.approx(0.12)
    assert costs.last_24h == pytest.approx(0.24)
    assert costs.day_projected == pytest.approx(0.24, rel=0.03)
    assert costs.month_projected == pytest.approx(30 * 0.24, rel=0.03)
    assert "the pace of the last 24 h" in costs.basis


@pytest.mark.parametrize(
    ("score", "status"),
    [(100.0, "excellent"), (90.0, "excellent"), (89.9, "good"), (75.0, "good"), (60.0, "fair"),
     (40.0, "poor"),
     (39.9, "critical"), (0.0, "critical"), (None, "unknown")],
)  # fmt: skip
def test_the_words_are_the_published_ones(score: float | None, status: str) -> None:
    assert status_of(score) == status
