from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.monitors.drift.evidence import ENOUGH, Evidence

numbers = st.floats(-1.0, 1.0)


@given(st.lists(numbers, max_size=20), st.floats(0.0, 0.3), st.floats(0.31, 1.0), st.floats(-1.0, -0.01))
def test_while_the_mean_is_tolerated_it_grows_by_the_coins_that_join(
    before: list[float], tolerated: float, high: float, least: float
) -> None:
    """The law behind the promise: value less count is a martingale where the mean is just tolerated."""

    def after(last: float | None) -> float:
        evidence = Evidence(tolerated)
        for number in before:
            evidence.see(number)
        if last is not None:
            evidence.see(last, least)
        return evidence.value

    share = (tolerated - least) / (high - least)  # of high numbers: their mean is `tolerated`
    expected = share * after(high) + (1.0 - share) * after(least)
    assert expected == pytest.approx(after(None) + 1.0, rel=1e-6)


def test_a_tolerated_mean_keeps_its_peace() -> None:
    """200 streams of 500 numbers, each with a chance of 5 % at most: 20 alarms would be a miracle."""
    draw = random.Random(8)
    alarms = 0
    for _ in range(200):
        evidence = Evidence(0.05)
        alarms += any(evidence.see(draw.gauss(0.05, 0.3), -1.0) for _ in range(500))
    assert alarms <= 20


def test_a_mean_beyond_is_seen_and_the_sooner_the_less_could_be_lost() -> None:
    def delay(least: float) -> int:
        draw = random.Random(3)
        evidence = Evidence(0.05)
        return next(n for n in range(5000) if evidence.see(max(least, draw.gauss(0.2, 0.1)), least))

    assert delay(-0.2) < delay(-1.0) < 200


def test_numbers_out_of_range_break_nothing() -> None:
    evidence = Evidence(0.0)
    for _ in range(1000):
        evidence.see(-1e9, -0.5)
    assert 0.0 <= evidence.value < ENOUGH
