"""Objectives: the formulas, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import SettingsError
from edgewise.domain.objectives import NUMBERS, OBJECTIVES, Measured, Objective, objective_of, spelled

SHARE = st.floats(0, 1)
LATENCY = st.floats(0.01, 100)
COST = st.floats(0, 1)


def test_qos_is_the_published_formula() -> None:
    found = Measured(quality=0.9, latency_s=2.0, mission=7.0, time=4.0)
    assert Objective("qos").utility(found) == pytest.approx(1.7 * 0.9 + 1.4 / 2.0)


@given(st.sampled_from(OBJECTIVES), SHARE, LATENCY, COST)
def test_floats_and_arrays_agree(name: str, quality: float, latency: float, cost: float) -> None:
    objective = Objective(name, weight=0.3, floor=0.7)
    one = objective.utility(Measured(quality, latency, cost, quality, cost))
    values = (quality, latency, cost, quality, cost)
    many = objective.utility(Measured(*(np.array([[value, value]]) for value in values)))
    assert many == pytest.approx(np.array([[one, one]]))


@given(st.sampled_from(OBJECTIVES), SHARE, SHARE, LATENCY, COST)
def test_more_quality_is_never_worse(name: str, a: float, b: float, latency: float, cost: float) -> None:
    worse, better = sorted([a, b])
    objective = Objective(name, weight=0.3, floor=0.7)
    low, high = (objective.utility(Measured(q, latency, cost, q, cost)) for q in (worse, better))
    assert high >= low


@given(LATENCY, LATENCY, COST, COST)
def test_above_the_floor_only_the_price_counts(a: float, b: float, c: float, d: float) -> None:
    cheap = Objective("cheapest-at-quality", floor=0.5)
    assert (cheap.utility(Measured(0.6, a, c)) > cheap.utility(Measured(0.9, b, d))) == (
        -1000 * c > -1000 * d
    )
    fast = Objective("fastest-at-quality", floor=0.5)
    assert (fast.utility(Measured(0.6, a, c)) > fast.utility(Measured(0.9, b, d))) == (a < b)
    lean = Objective("leanest-at-quality", floor=0.5)
    of = (lean.utility(Measured(quality=0.6, energy_j=a)), lean.utility(Measured(quality=0.9, energy_j=b)))
    assert (of[0] > of[1]) == (-a / 100.0 > -b / 100.0)


def test_without_costs_quality_at_cost_ranks_by_quality() -> None:
    assert Objective("quality-at-cost", weight=2.0).utility(Measured(quality=0.4)) == 0.4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "fastest"}, "There is no objective 'fastest'"),
        ({"floor": 80.0}, "between 0 and 1"),
        ({"weight": -1.0}, "must not be negative"),
        ({"weight": float("nan")}, "must not be negative"),
    ],
)
def test_what_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Objective(**wrong)  # type: ignore[arg-type]  # the bad ones are the point


@given(st.sampled_from(sorted(NUMBERS)), st.none() | SHARE)
def test_what_is_spelled_is_read_again(name: str, number: float | None) -> None:
    given = {} if number is None else {NUMBERS[name]: number}
    assert objective_of(spelled(name, **given)) == Objective(name, **given)


def test_a_name_alone_means_the_own_objective_of_that_name() -> None:
    own = Objective("quality-at-cost", weight=0.3)
    assert objective_of("quality-at-cost", own) is own
    assert objective_of("quality-at-cost:0.1", own).weight == 0.1
    assert objective_of("qos", own) == Objective("qos")
    assert objective_of(" cheapest-at-quality : 0.5 ") == Objective("cheapest-at-quality", floor=0.5)


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("fastest-at-qality", "Perhaps 'fastest-at-quality' was meant"),
        ("speed:3", "There is no objective 'speed'"),
        ("qos:0.5", "'qos' takes no number, found '0.5'"),
        ("cheapest-at-quality:80", "between 0 and 1, found 80"),
        ("cheapest-at-quality:", "expected a number, as in cheapest-at-quality:0.8"),
        ("quality-at-cost:much", "The weight of 'quality-at-cost' is 'much'"),
        ("quality-at-cost:-1", "must not be negative"),
        ("quality-at-cost:inf", "nor without end"),
        ("quality-at-cost:nan", "must not be negative"),
        ("", "There is no objective ''"),
    ],
)
def test_a_wrong_spelling_is_one_sentence(spelling: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        objective_of(spelling)
    assert str(caught.value).count("\n") == 0


def test_a_number_of_another_objective_is_refused() -> None:
    with pytest.raises(SettingsError, match="has no weight; it takes a floor"):
        spelled("cheapest-at-quality", weight=0.1)
    with pytest.raises(SettingsError, match="has no floor; it takes no number"):
        spelled("qos", floor=0.1)
