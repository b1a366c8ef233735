"""The measures obey their laws: chance is the chord, the oracle bounds everything, order does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgewise.learning.evaluate.bootstrap import Bootstrap
from edgewise.learning.evaluate.measures import (
    Frontier,
    deferral,
    deferral_by,
    frontier,
    gap_closed,
    hull,
    quantile,
    reliability,
)

SIZE = st.shared(st.integers(2, 30), key="n")
SHARES = hnp.arrays(np.float64, SIZE, elements=st.floats(0, 1, width=32))
GAINS = hnp.arrays(np.float64, SIZE, elements=st.integers(-3, 3).map(float))


@given(SHARES, SHARES)
def test_ties_give_exactly_the_chord(weak: np.ndarray, strong: np.ndarray) -> None:
    assume(abs(strong.mean() - weak.mean()) > 1e-3)
    curve = deferral(np.zeros(len(weak)), weak, strong)
    assert curve.apgr == pytest.approx(0.5)
    assert curve.at(np.array([0.25])) == pytest.approx(0.75 * weak.mean() + 0.25 * strong.mean())


def test_chance_reaches_half_the_area() -> None:
    dice = np.random.default_rng(5)
    weak, strong = dice.random(60), dice.random(60) + 0.5
    areas = [deferral(dice.random(60), weak, strong).apgr for _ in range(2000)]
    assert np.mean(areas) == pytest.approx(0.5, abs=4 * np.std(areas) / 2000**0.5)


@given(GAINS, SHARES, SHARES)
def test_nothing_beats_the_oracle(gain: np.ndarray, weak: np.ndarray, strong: np.ndarray) -> None:
    best = deferral(strong - weak, weak, strong)
    shares = np.linspace(0, 1, 21)
    assert (deferral(gain, weak, strong).at(shares) <= best.at(shares) + 1e-9).all()


@given(GAINS, SHARES, SHARES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(gain, weak, strong, dice) -> None:
    order = list(range(len(gain)))
    dice.shuffle(order)
    here, there = deferral(gain, weak, strong), deferral(gain[order], weak[order], strong[order])
    assert there.share == pytest.approx(here.share)
    assert there.quality == pytest.approx(here.quality)


@given(GAINS, SHARES, SHARES)
def test_a_weight_of_two_is_the_row_twice(gain: np.ndarray, weak: np.ndarray, strong: np.ndarray) -> None:
    weight = np.ones(len(gain))
    weight[0] = 2
    twice = [np.append(each, each[0]) for each in (gain, weak, strong)]
    assert deferral(gain, weak, strong, weight).quality == pytest.approx(deferral(*twice).quality)


def test_levels_of_different_folds_are_not_compared() -> None:
    dice = np.random.default_rng(1)
    weak, strong = dice.random(40), dice.random(40) + 0.3
    fold = np.arange(40) % 4
    assert deferral_by(fold, fold.astype(float), weak, strong).apgr == pytest.approx(0.5)
    gain = dice.random(40)
    one = np.zeros(40, dtype=np.int64)
    assert deferral_by(one, gain, weak, strong).apgr == deferral(gain, weak, strong).apgr


def test_calls_for_a_share_of_the_gap() -> None:
    weak, strong = np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 1.0])
    curve = deferral(np.array([4.0, 3.0, 2.0, 1.0]), weak, strong)
    assert curve.calls_for(0.5) == 0.25
    assert curve.calls_for(0.8) == 0.5
    assert curve.apgr == pytest.approx(0.75)
    assert np.isnan(deferral(np.zeros(4), weak, weak).apgr)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_the_hull_lies_above_every_point(points: list[tuple[int, int]]) -> None:
    cost, quality = np.array(points, dtype=np.float64).T
    xs, ys = hull(cost, quality)
    assert (np.interp(cost, xs, ys) >= quality - 1e-9).all()
    assert (np.diff(ys) > 0).all()
    assert (np.diff(ys, 2) <= 1e-9).all() or (np.diff(np.diff(ys) / np.diff(xs)) <= 1e-9).all()


def test_aiq_is_the_mean_height() -> None:
    line = Frontier(np.array([1.0, 3.0]), np.array([0.2, 0.8]))
    assert line.aiq(3.0) == pytest.approx(0.5)
    assert line.aiq(5.0) == pytest.approx((0.5 * 2 + 0.8 * 2) / 4)
    assert Frontier(np.array([1.0]), np.array([0.7])).aiq(1.0) == 0.7


def test_a_frontier_runs_from_the_best_to_the_cheapest() -> None:
    dice = np.random.default_rng(2)
    quality = np.column_stack([dice.random(50), dice.random(50) + 0.5])
    costs = np.tile([1.0, 4.0], (50, 1))
    line = frontier(quality, np.array([1.0, 4.0]), quality, costs)
    assert line.cost[0] == 1.0
    assert line.quality.max() == pytest.approx(quality.max(axis=1).mean())


def test_the_gap() -> None:
    closed = gap_closed(np.array([0.75, 1.0]), np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    assert closed[0] == 0.5
    assert np.isnan(closed[1])


def test_reliability() -> None:
    dice = np.random.default_rng(3)
    said = dice.random(500)
    found = reliability(said, said)
    assert found is not None
    assert found.ece == pytest.approx(0, abs=1e-12)
    off = reliability(np.full(100, 0.9), np.full(100, 0.4))
    assert off is not None
    assert off.ece == pytest.approx(0.5)
    assert reliability(said[:5], said[:5]) is None


@given(SHARES, st.floats(0.01, 1))
def test_the_quantile_is_numpys(values: np.ndarray, share: float) -> None:
    found = quantile(values[:, None], np.ones((len(values), 1)), share)
    assert (values <= found).mean() >= share - 1e-9
    assert (values < found).mean() < share + 1e-9


def test_intervals_cover_the_truth() -> None:
    covered = 0
    for seed in range(300):
        values = np.random.default_rng(seed).exponential(1.0, 80)
        found = Bootstrap([str(i) for i in range(80)], seed=seed, draws=400).mean(values)
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 300 <= 0.98


def test_rows_of_one_prompt_count_as_one() -> None:
    values = np.random.default_rng(4).random(40)
    alone = Bootstrap([str(i) for i in range(40)]).mean(values)
    thrice = Bootstrap([str(i) for i in range(40)] * 3).mean(np.tile(values, 3))
    assert thrice.high - thrice.low == pytest.approx(alone.high - alone.low, rel=1e-9)


def test_verdicts() -> None:
    boot = Bootstrap([str(i) for i in range(50)])
    noise = np.random.default_rng(6).normal(0, 1, 50)
    assert boot.verdict(noise + 5, np.zeros(50))[1] == "better"
    assert boot.verdict(noise - 5, np.zeros(50))[1] == "worse"
    assert boot.verdict(noise, noise)[1] == "no different"
    assert boot.verdict(noise, noise.copy())[0].mean == 0


def test_nan_is_left_out_of_means() -> None:
    boot = Bootstrap(["a", "b", "c"])
    assert boot.mean(np.array([1.0, np.nan, 1.0])).mean == 1.0
    assert np.isnan(boot.mean(np.full(3, np.nan)).mean)
