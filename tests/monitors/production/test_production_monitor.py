from __future__ import annotations

from math import floor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.stored import fill
from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Attempt, Feedback, Record
from edgewise.domain.feedback import quality_of
from edgewise.domain.ids import mint, shadow_id
from edgewise.monitors.clock import SettableClock
from edgewise.monitors.production import WINDOWS, ProductionMonitor, figures_of
from edgewise.monitors.production.histogram import ERROR, HIGHEST, LOWEST, place_of, quantile, value_at
from edgewise.monitors.production.rings import RINGS
from edgewise.monitors.production.tally import COUNTS, Tally
from edgewise.outcomes import LogReader
from edgewise.settings.schema import BudgetSettings

NOW = 1_790_000_005.0
PLACES: dict[str, Any] = {"phi": "edge", "gpt": "cloud"}


def story(at: float, *, by: str = "phi", **changes: Any) -> tuple[Record, Record]:
    made = decision(at=at - 1.0, chosen=by, location=PLACES[by])
    return made, outcome(made, at=at, **{"attempts": (), "cost_usd": 0.002, **changes})


def said(at: float, **words: Any) -> Feedback:
    return Feedback(id=mint(), decision_id=mint(), at=at, **words)


def counts(tally: Tally) -> dict[str, Any]:
    rounded = {name: round(getattr(tally, name), 9) for name in COUNTS}
    return {**rounded, "took": tally.took}


@given(st.lists(st.floats(2e-5, 80_000.0), min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_a_quantile_is_within_a_hundredth_of_the_true_one(values: list[float], share: float) -> None:
    places: dict[int, int] = {}
    for value in values:
        places[place_of(value)] = places.get(place_of(value), 0) + 1
    true = sorted(values)[floor(share * (len(values) - 1))]
    assert quantile(places, share) == pytest.approx(true, rel=ERROR + 1e-9)


def test_a_histogram_is_bounded_whatever_comes() -> None:
    places = {place_of(value) for value in (0.0, -1.0, float("nan"), float("inf"), 1e300, 1e-300)}
    assert places <= {LOWEST, HIGHEST}
    assert value_at(HIGHEST) == pytest.approx(86_400.0, rel=0.03)
    assert quantile({}, 0.5) is None


def mixed() -> list[Record]:
    failed = Attempt(candidate="gpt", status="error", started_s=0.0, latency_s=0.1)
    served = Attempt(candidate="phi", status="ok", started_s=0.1, latency_s=0.1)
    shadowed = decision(at=NOW - 3.0)
    beside = decision(id=shadow_id(shadowed.id), at=NOW - 3.0, reason="shadow", shadow_of=shadowed.id)
    stories = [
        story(NOW - 1.0, latency_s=0.5),
        story(NOW - 2.0, by="gpt", latency_s=2.0, cost_usd=0.02),
        story(NOW - 2.5, by="gpt", candidate="phi", attempts=(failed, served)),
        story(NOW - 2.6, status="error", cost_usd=None, cost_state="unpriced"),
        story(NOW - 2.7, status="cancelled"),
        story(NOW - 2.8, by="gpt", cost_usd=None, cost_state="unpriced"),
        (beside, outcome(beside, at=NOW - 2.0, cost_usd=0.5)),
    ]
    words: list[dict[str, Any]] = [
        {"quality": 0.3, "thumbs": "up"},
        {"success": 0.25},
        {"rating": 4.0},
        {"thumbs": "down"},
        {"edit_distance": 0.4},
        {"correction": True},
        {"correction": False},
        {"abandoned_s": 30.0},
        {"comment": "hm"},
    ]
    return [*(record for both in stories for record in both), *(said(NOW - 1.0, **word) for word in words)]


def test_what_is_loaded_is_what_was_observed(tmp_path: Path) -> None:
    records = mixed()
    fill(tmp_path / "log.sqlite", *records)
    clock = SettableClock(wall=NOW)
    loaded, watched = (ProductionMonitor(PLACES, clock=clock) for _ in range(2))
    loaded.load(LogReader(tmp_path / "log.sqlite"))
    for record in records:
        watched.observe(record)
    for window in WINDOWS:
        assert counts(loaded.window(window)) == counts(watched.window(window))
    assert loaded.ledger.today == watched.ledger.today


def test_the_figures_of_a_mixed_window() -> None:
    monitor = ProductionMonitor(PLACES, clock=SettableClock(wall=NOW), budget=BudgetSettings(usd_per_day=2.4))
    records = mixed()
    for record in records:
        monitor.observe(record)
    found = figures_of(monitor, "1h")
    assert found.requests == 6
    assert found.edge_share == 4 / 6
    assert found.error_rate == 1 / 5
    assert found.fallback_rate == 1 / 5
    assert found.cost_per_query == pytest.approx((0.02 + 3 * 0.002) / 4)
    assert found.spent_usd == pytest.approx(0.526)
    assert found.unpriced == 2
    assert found.budget_burn == pytest.approx(5.26)  # the even pace is 0.1 USD an hour
    assert found.p99_s == pytest.approx(1.42, rel=0.02)
    qualities = [q for r in records if isinstance(r, Feedback) and (q := quality_of(r)) is not None]
    assert found.quality == pytest.approx(sum(qualities) / len(qualities))
    assert found.samples["quality"] == len(qualities) == 7


def test_an_empty_log_says_nothing() -> None:
    found = figures_of(ProductionMonitor(clock=SettableClock(wall=NOW)), "7d")
    assert (found.requests, found.edge_share, found.p95_s, found.quality) == (0, None, None, None)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_forgets_what_is_older(window: str) -> None:
    clock = SettableClock(wall=NOW)
    monitor = ProductionMonitor(PLACES, clock=clock)
    for record in story(NOW):
        monitor.observe(record)
    width, count = RINGS[window]
    clock.advance(width * (count - 1))
    assert monitor.window(window).requests == 1
    clock.advance(width)
    assert monitor.window(window).requests == 0


def test_months_of_records_take_no_more_room() -> None:
    clock = SettableClock(wall=NOW)
    monitor = ProductionMonitor(PLACES, clock=clock)
    for number in range(3000):
        for record in story(clock.wall(), latency_s=0.001 * (number + 1)):
            monitor.observe(record)
        clock.advance(977.0)
    assert all(len(ring._buckets) <= ring.count + 1 for ring in monitor._rings.values())
    assert len(monitor.buckets("7d")) == 168


def test_a_clock_that_was_ahead_hides_nothing_that_comes_after() -> None:
    clock = SettableClock(wall=NOW + 1e8)
    monitor = ProductionMonitor(PLACES, clock=clock)
    for _ in range(400):
        for record in story(clock.wall()):
            monitor.observe(record)
        clock.advance(10.0)
    clock.advance(-1e8)
    for _ in range(5):
        for record in story(clock.wall()):
            monitor.observe(record)
        clock.advance(10.0)
    assert {window: monitor.window(window).requests for window in ("5m", "1h", "24h", "7d")} == dict.fromkeys(
        ("5m", "1h", "24h", "7d"), 5
    )
