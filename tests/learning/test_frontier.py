"""The frontier of a log whose truth is known, because a simulation made it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewise.domain.decisions import Estimate, Forecast
from edgewise.learning.frontier import Frontier, frontier
from edgewise.outcomes.foreseen import Foreseen

EXPLORE = 0.3
TRUE = {"phi": 0.0, "gpt": 0.002}  # USD a request


def exact(value: float) -> Estimate:
    return Estimate(value, value, value)


def world(seed: int, n: int = 1500, *, rated: float = 1.0, bias: float = 0.0) -> tuple[list[Foreseen], Any]:
    """Decisions that were drawn, and (n, 2) the true quality of each candidate for each.

    The cloud's quality hardly depends on the prompt, the edge's does; `bias` spoils the edge's forecasts.
    """
    dice = np.random.default_rng(seed)
    hard = dice.random(n)
    truth = np.stack([1.0 - hard, np.full(n, 0.8)], axis=1)
    rows: list[Foreseen] = []
    for at in range(n):
        believed = {"phi": truth[at, 0] + bias + dice.normal(0, 0.1), "gpt": truth[at, 1]}
        forecasts = {
            name: Forecast(quality=exact(float(value)), cost_usd=exact(TRUE[name]), latency_s=exact(1.0))
            for name, value in believed.items()
        }
        favourite = "phi" if believed["phi"] > believed["gpt"] else "gpt"
        odds = {name: EXPLORE / 2 + (1 - EXPLORE) * (name == favourite) for name in TRUE}
        chosen = "phi" if dice.random() < odds["phi"] else "gpt"
        right = float(dice.random() < truth[at, 0 if chosen == "phi" else 1])
        quality = right if dice.random() < rated else None
        rows.append(
            Foreseen(str(at), chosen, odds[chosen], odds, forecasts, quality, 1.0, TRUE[chosen], failed=False)
        )
    return rows, truth


def drawn(rows: list[Foreseen], axis: str = "cost_usd") -> Frontier:
    found = frontier(rows, axis)
    assert found is not None
    return found


def test_single_candidates_come_out_as_they_are() -> None:
    covered = 0
    for seed in range(40):
        rows, truth = world(seed, 400)
        phi = next(one for one in drawn(rows).singles if one.name == "phi")
        covered += phi.quality.low <= truth[:, 0].mean() <= phi.quality.high
        assert phi.price.mean == pytest.approx(0.0, abs=1e-12)
        assert phi.share == {"phi": 1.0, "gpt": 0.0}
    assert covered >= 34, "of 40 intervals, 95 % each"


def test_a_wrong_forecast_costs_precision_and_not_truth() -> None:
    rows, truth = world(1, 6000, bias=0.3)
    phi = next(one for one in drawn(rows).singles if one.name == "phi")
    assert phi.foreseen_quality == pytest.approx(truth[:, 0].mean() + 0.3, abs=0.02)
    assert phi.quality.low <= truth[:, 0].mean() <= phi.quality.high
    assert phi.quality.high < phi.foreseen_quality, "what is measured outweighs what is believed"


def test_the_handle_goes_from_quality_to_thrift() -> None:
    found = drawn(world(2)[0])
    first, last = found.points[0], found.points[-1]
    assert first.objective == "quality-at-cost:0.0"
    assert first.regret.mean == pytest.approx(0.0, abs=1e-12)
    assert last.share["phi"] == 1.0
    prices = [point.price.mean for point in found.points]
    assert prices == sorted(prices, reverse=True)
    shares = [point.share["phi"] for point in found.points]
    assert shares == sorted(shares)
    assert len({point.objective for point in found.points}) == len(found.points) > 10
    assert last.regret.low > 0.0


def test_today_is_measured_and_nothing_else() -> None:
    rows, _ = world(3, rated=0.4)
    found = drawn(rows)
    known = [row.quality for row in rows if row.quality is not None]
    assert found.rated == len(known)
    assert found.today.quality.mean == pytest.approx(float(np.mean(known)))
    assert found.today.price.mean == pytest.approx(float(np.mean([row.cost_usd or 0.0 for row in rows])))


def test_without_ratings_quality_is_what_is_believed_and_called_so() -> None:
    found = drawn(world(4, rated=0.0)[0])
    assert not found.is_measured
    assert found.price_is_measured
    assert all(point.quality.mean == pytest.approx(point.foreseen_quality) for point in found.points)


def test_failures_count_as_often_as_they_happened() -> None:
    rows, _ = world(5, 1000, rated=0.1)
    failed = [
        Foreseen(f"f{at}", "phi", 1.0, {"phi": 1.0}, row.forecasts, 0.0, 1.0, 0.0, failed=True)
        for at, row in enumerate(rows[:100])
    ]
    known = [row.quality for row in rows if row.quality is not None]
    rated = len(known) / len(rows)
    expected = sum(known) / (len(known) + rated * len(failed))
    assert drawn([*rows, *failed]).today.quality.mean == pytest.approx(expected)


def test_other_axes_move_a_floor() -> None:
    found = drawn(world(6)[0], "latency_s")
    assert found.points[0].objective.startswith("fastest-at-quality:")
    assert frontier(world(6, 50)[0], "energy_j") is None, "nobody forecasts energy here"
    assert frontier([], "cost_usd") is None


def test_the_same_prompt_again_is_one_draw() -> None:
    rows, _ = world(7, 300)
    alone, thrice = drawn(rows).today.quality, drawn([*rows, *rows, *rows]).today.quality
    assert thrice.mean == pytest.approx(alone.mean)
    assert thrice.high - thrice.low == pytest.approx(alone.high - alone.low, rel=0.01)
