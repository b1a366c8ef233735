"""The bet against a promise: seldom wrong however long one looks, and quick where the promise is broken."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.policies.cascade.vigil import bets, loss_of

WATCHES = 200
FALSE_ALARMS = 15  # of 200, where 10 are allowed on average


def rung_at(seed: int, texts: int, lost: float, won: float = 0.0, *, worse_from: int = 0) -> int:
    """The text at which it rings, 0 where it never does; from `worse_from` on, one in twenty is lost."""
    dice, watch = random.Random(seed), bets(0.01, 0.95)
    for number in range(texts):
        chance = 0.05 if worse_from and number >= worse_from else lost
        draw = dice.random()
        watch.note(1.0 if draw < chance else -1.0 if draw > 1.0 - won else 0.0)
        if watch.seen.alarm:
            return watch.seen.alarm
    return 0


@pytest.mark.slow
@pytest.mark.parametrize(("lost", "won"), [(0.01, 0.0), (0.03, 0.02), (0.001, 0.0)])
def test_a_promise_that_holds_is_seldom_called_broken(lost: float, won: float) -> None:
    """Looking after every one of 2,000 texts."""
    assert sum(rung_at(seed, 2_000, lost, won) > 0 for seed in range(WATCHES)) <= FALSE_ALARMS


def test_a_broken_promise_is_found() -> None:
    found = sorted(rung_at(seed, 1_500, 0.05) for seed in range(20))
    assert found[0] > 0
    assert found[10] < 250


def test_a_promise_that_breaks_late_is_found_as_well() -> None:
    found = sorted(rung_at(seed, 3_000, 0.002, worse_from=1_000) for seed in range(10))
    assert found[0] > 1_000
    assert found[5] < 1_600


@given(st.lists(st.floats(-1.0, 1.0), max_size=60), st.floats(0.001, 0.5))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_the_capital_stays_above_nothing_and_the_alarm_stays_on(losses: list[float], promised: float) -> None:
    watch, before = bets(promised, 0.9), 0
    for loss in losses:
        seen = watch.note(loss)
        assert min(watch.capitals) >= 0.0
        assert before in {0, seen.alarm}
        before = seen.alarm
    assert watch.seen.sampled == len(losses)
    if losses:
        assert watch.seen.loss == pytest.approx(sum(losses) / len(losses), abs=1e-9)


def test_a_fair_bet_neither_gains_nor_loses_on_average() -> None:
    """The expected capital after any one text is the capital before: what makes the alarm honest."""
    for history in ([], [1.0, 0.0], [0.0, -1.0, 1.0]):
        after = 0.0
        for loss, chance in ((1.0, 0.015), (-1.0, 0.005), (0.0, 0.98)):  # a loss of .01 on average
            watch = bets(0.01, 0.95)
            for earlier in history:
                watch.note(earlier)
            watch.note(loss)
            after += chance * (sum(watch.capitals) / len(watch.capitals) + 1.0 / (watch.seen.sampled + 1))
        watch = bets(0.01, 0.95)
        for earlier in history:
            watch.note(earlier)
        before = sum(watch.capitals) / len(watch.capitals) + 1.0 / (watch.seen.sampled + 1)
        assert after == pytest.approx(before)


def test_what_is_lost_is_what_the_cloud_knows_better() -> None:
    assert loss_of("a", "a", {"a": 0.9}) == 0.0
    assert loss_of("a", "b", {"a": 0.3, "b": 0.6}) == pytest.approx(0.3)
    assert loss_of("a", "b", {}) == 1.0
    assert loss_of("a", "b", {}, 0.25) == 0.25


@pytest.mark.parametrize("loss", [1.5, -2.0, float("nan")])
def test_no_text_loses_more_than_itself(loss: float) -> None:
    with pytest.raises(ValueError, match="expected a number from -1 to 1"):
        bets(0.01, 0.95).note(loss)


@pytest.mark.parametrize(("max_loss", "confidence"), [(0.0, 0.95), (0.01, 1.0), (2.0, 0.5)])
def test_nothing_is_promised_beyond_doubt(max_loss: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="expected a number between 0 and 1"):
        bets(max_loss, confidence)


def test_the_sentence_says_where_it_stands() -> None:
    watch = bets(0.01, 0.95)
    assert watch.seen.sentence == "The promise of at most 1.00% of the accuracy lost was not checked yet."
    watch.note(0.0, asked=False)
    assert "Nothing speaks against" in watch.seen.sentence
    assert "1 sampled texts, 0 of them asked of the cloud too" in watch.seen.sentence
    for _ in range(20):
        watch.note(1.0)
    assert "no longer holds, with 95% confidence" in watch.seen.sentence
