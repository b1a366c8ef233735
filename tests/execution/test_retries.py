"""Extra calls stay within their budget; waits are jittered; a Retry-After is taken with a grain of salt."""

from __future__ import annotations

from email.utils import formatdate
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgewise.execution import RetryBudget
from edgewise.execution.retries import ABSURD_S, FLOOR_PER_S, LONGEST_BACKOFF_S, backoff_s, retry_after_s

NOW = 1_800_000_000.0


class Spending(RuleBasedStateMachine):
    """Requests, extra calls and time, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.requests, self.extra = 0.0, 0, 0
        self.budget = RetryBudget(0.1, burst=5.0, clock=lambda: self.now)

    @rule(times=st.integers(1, 40))
    def requests_come(self, times: int) -> None:
        for _ in range(times):
            self.budget.earn()
        self.requests += times

    @rule(times=st.integers(1, 20))
    def calls_fail(self, times: int) -> None:
        for _ in range(times):
            could = self.budget.has_one()
            spent = self.budget.spend()
            assert spent == could
            self.extra += spent

    @rule(seconds=st.floats(0.0, 60.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def there_are_no_more_than_a_tenth_beside_the_burst(self) -> None:
        assert self.extra <= 5.0 + 0.1 * self.requests + FLOOR_PER_S * self.now + 1e-6

    @invariant()
    def it_never_overflows(self) -> None:
        assert -1e-9 <= self.budget.tokens <= 5.0


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_an_empty_budget_fills_with_requests() -> None:
    budget = RetryBudget(0.1, burst=2.0, clock=lambda: 0.0)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    for _ in range(11):
        budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3", 3.0), ("0", 0.0), (" 2.5 ", 2.5), ("-1", None), ("nan", None), ("inf", None), ("1e9", None),
        ("", None), (None, None), ("tomorrow", None), ("Sun, 99 Nov 2026 99:99:99 GMT", None),
        (formatdate(NOW + 30, usegmt=True), 30.0), (formatdate(NOW - 30, usegmt=True), 0.0),
        (formatdate(NOW + 400 * ABSURD_S, usegmt=True), None),
    ],
)  # fmt: skip
def test_a_retry_after_is_seconds_or_a_date_or_nothing(said: str | None, seconds: float | None) -> None:
    assert retry_after_s(said, clock=lambda: NOW) == seconds


@given(st.text())
def test_no_retry_after_is_absurd(said: str) -> None:
    seconds = retry_after_s(said, clock=lambda: NOW)
    assert seconds is None or 0.0 <= seconds <= ABSURD_S


@given(st.integers(0, 10_000), st.integers())
def test_a_wait_is_never_long(tries: int, seed: int) -> None:
    assert 0.0 <= backoff_s(Random(seed), tries) <= LONGEST_BACKOFF_S


def test_waits_are_spread_over_the_whole_range() -> None:
    waits = [backoff_s(Random(seed), 0) for seed in range(200)]
    assert min(waits) < 0.02
    assert 0.23 < max(waits) <= 0.25
