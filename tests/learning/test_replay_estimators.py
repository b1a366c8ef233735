"""Simulated logs whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from edgewise.learning.replay import Estimates, Logged, estimate
from edgewise.learning.replay.estimators import coverage, effective_size
from edgewise.learning.replay.resampling import MOST_BLOCKS, Resampled

KINDS, CANDIDATES, ROWS, LOGS = 6, 3, 400, 200
TRUTH = np.random.default_rng(7).uniform(0.1, 0.9, (KINDS, CANDIDATES))  # mean quality by kind of prompt
OFFERED = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]], dtype=float)
WANTED = np.zeros((KINDS, CANDIDATES))
WANTED[np.arange(KINDS), np.where(OFFERED > 0, TRUTH, -1).argmax(axis=1)] = 1.0
VALUE = float((WANTED * TRUTH).sum(axis=1).mean())  # what the policy earns on average over the kinds


def odds_of_log(explore: float) -> np.ndarray:
    """Each kind's own shortlist; the favourite is its first candidate."""
    even = OFFERED / OFFERED.sum(axis=1, keepdims=True)
    favourite = np.zeros_like(OFFERED)
    favourite[np.arange(KINDS), OFFERED.argmax(axis=1)] = 1.0
    return np.asarray((1 - explore) * favourite + explore * even)


def simulated(seed: int, *, explore: float = 0.4, rows: int = ROWS) -> tuple[Logged, np.ndarray, np.ndarray]:
    """A log, the measured qualities, and a forecast that is wrong on purpose."""
    dice = np.random.default_rng(seed)
    prompt = dice.integers(0, rows // 2, rows)  # prompts come again
    kind = dice.integers(0, KINDS, rows)[prompt]
    odds = odds_of_log(explore)[kind]
    chosen = (dice.random(rows)[:, None] > odds.cumsum(axis=1)).sum(axis=1)
    at = np.arange(rows)
    measured = (dice.random(rows) < TRUTH[kind, chosen]).astype(float)
    log = Logged(
        chosen, odds, odds[at, chosen], WANTED[kind], [str(number) for number in prompt], np.ones(rows)
    )
    return log, measured, 0.5 + 0.3 * (TRUTH[kind] - 0.2)


@pytest.fixture(scope="module")
def figures() -> list[Estimates]:
    return [estimate(*simulated(seed), seed=seed) for seed in range(LOGS)]


@pytest.mark.parametrize("name", ["ips", "snips", "doubly_robust"])
def test_estimates_are_unbiased_over_two_hundred_logs(figures: list[Estimates], name: str) -> None:
    means = np.array([getattr(found, name).mean for found in figures])
    error = means.std(ddof=1) / np.sqrt(LOGS)
    bias = abs(means.mean() - VALUE)
    assert bias < 3 * error
    assert 3 * error < 0.03  # and that is not just wide: the log's own mean is farther from the truth (below)


@pytest.mark.parametrize("name", ["ips", "snips", "doubly_robust"])
def test_intervals_hold_the_truth_as_often_as_they_say(figures: list[Estimates], name: str) -> None:
    held = np.mean([getattr(f, name).low <= VALUE <= getattr(f, name).high for f in figures])
    assert 0.90 <= held <= 0.99


def test_the_naive_mean_of_agreeing_rows_would_have_been_wrong(figures: list[Estimates]) -> None:
    """The simulation punishes an estimator that does not weigh: otherwise the tests above prove nothing."""
    logged = np.mean([found.logged.mean for found in figures])
    assert abs(logged - VALUE) > 0.05


def test_the_difference_is_paired(figures: list[Estimates]) -> None:
    truth = VALUE - float((odds_of_log(0.4) * TRUTH).sum(axis=1).mean())
    held = np.mean([f.difference.low <= truth <= f.difference.high for f in figures])
    assert 0.90 <= held <= 0.99
    for found in figures[:20]:
        assert found.difference.mean == pytest.approx(found.doubly_robust.mean - found.logged.mean)


def test_a_good_forecast_narrows_the_interval() -> None:
    widths: dict[str, list[float]] = {"ips": [], "doubly_robust": []}
    for seed in range(40):
        log, measured, _ = simulated(seed)
        kind = [np.flatnonzero((row == WANTED).all(axis=1))[0] for row in log.wanted]
        found = estimate(log, measured, TRUTH[kind], seed=seed)
        for name, width in widths.items():
            interval = getattr(found, name)
            width.append(interval.high - interval.low)
    assert np.mean(widths["doubly_robust"]) < 0.9 * np.mean(widths["ips"])


def test_what_was_not_measured_is_left_out() -> None:
    log, measured, forecast = simulated(1)
    holes = measured.copy()
    holes[::2] = np.nan
    found = estimate(log, holes, forecast)
    assert found.rows == ROWS // 2
    assert np.isfinite([found.ips.mean, found.doubly_robust.low, found.snips.high]).all()
    assert estimate(log, np.full(ROWS, np.nan)).rows == 0


def test_the_logs_own_policy_replays_to_its_own_mean() -> None:
    log, measured, _ = simulated(2)
    own = Logged(log.chosen, log.odds, log.propensity, log.odds, log.keys, log.share)
    found = estimate(own, measured)
    assert found.ips.mean == pytest.approx(measured.mean())
    assert found.snips == found.logged
    assert effective_size(own.weights) == pytest.approx(ROWS)
    assert coverage(own) == 1.0


def test_shares_weigh_rows_as_copies_would() -> None:
    log, measured, _ = simulated(3)
    share = np.where(np.arange(ROWS) % 3 == 0, 2.0, 1.0)
    weighed = Logged(log.chosen, log.odds, log.propensity, log.wanted, log.keys, share)
    twice = np.repeat(np.arange(ROWS), share.astype(int))
    copied = Logged(
        log.chosen[twice],
        log.odds[twice],
        log.propensity[twice],
        log.wanted[twice],
        [log.keys[int(row)] for row in twice],
        np.ones(len(twice)),
    )
    one, other = estimate(weighed, measured), estimate(copied, measured[twice])
    assert one.ips.mean == pytest.approx(other.ips.mean)
    assert one.snips.low == pytest.approx(other.snips.low)


def test_repeats_of_a_prompt_do_not_feign_certainty() -> None:
    """Ten copies of every prompt know no more than one: the interval must not shrink."""
    values = np.random.default_rng(0).random(200)
    alone = Resampled([str(n) for n in range(200)]).ratio(values)
    copies = Resampled([str(n) for n in range(200) for _ in range(10)]).ratio(np.repeat(values, 10))
    assert copies.mean == pytest.approx(alone.mean)
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_many_prompts_are_put_together_without_moving_the_interval() -> None:
    count = 5 * MOST_BLOCKS
    values = np.random.default_rng(0).random(count)
    found = Resampled([str(n) for n in range(count)]).ratio(values)
    width = 2 * 1.96 * values.std() / np.sqrt(count)
    assert found.high - found.low == pytest.approx(width, rel=0.1)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert estimate(*simulated(4), seed=3) == estimate(*simulated(4), seed=3)
