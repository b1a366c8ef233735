"""The day's spending: fed by what is written, read again after a restart, by calendar day."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.decisions import CostState, Decision, Outcome
from edgewise.outcomes import LogReader, SqliteLog
from edgewise.outcomes.ledger import Ledger, Spending

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 12, tzinfo=BERLIN).timestamp()


CALLS = (
    (0.5, "billed", NOON),
    (0.1, "estimated", NOON),
    (None, "unpriced", NOON),
    (9.0, "billed", NOON - 86_400),
)


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def outcome(cost: float | None, state: CostState = "billed", at: float = NOON, number: int = 0) -> Outcome:
    return Outcome(
        decision_id=f"req_{number:032x}", at=at, status="ok", candidate="gpt", latency_s=1.0, cost_usd=cost,
        cost_state=state,
    )  # fmt: skip


def decision(number: int, at: float) -> Decision:
    return Decision(
        id=f"req_{number:032x}", at=at, chosen="gpt", location="cloud", policy="p", reason="pinned",
        propensity=1.0, odds={"gpt": 1.0}, shortlist=("gpt",),
    )  # fmt: skip


def test_states_are_kept_apart() -> None:
    ledger = Ledger(clock=Clock(NOON))
    for cost, state in ((0.5, "billed"), (0.25, "estimated"), (None, "unpriced"), (None, "estimated")):
        ledger.observe(outcome(cost, state))  # type: ignore[arg-type]
    assert ledger.today == Spending(0.5, 0.25, 1)
    assert ledger.today.usd == 0.75


@pytest.mark.parametrize(
    ("spent", "state"),
    [(0.0, "normal"), (0.69, "normal"), (0.7, "constrained"), (0.9, "critical"), (2.0, "critical")],
)
def test_levels_are_the_published_ones(spent: float, state: str) -> None:
    ledger = Ledger(1.0, clock=Clock(NOON))
    ledger.observe(outcome(spent))
    found = {reading.name: reading for reading in ledger.readings()}
    assert (found["spent_usd"].value, found["spent_usd"].state) == (spent, state)
    assert found["budget_usd"].value == 1.0


def test_midnight_in_the_zone_begins_anew() -> None:
    clock = Clock(NOON)
    ledger = Ledger(1.0, time_zone="Europe/Berlin", clock=clock)
    ledger.observe(outcome(0.5))
    clock.now = datetime(2026, 11, 21, 23, 59, 59, tzinfo=BERLIN).timestamp()
    assert ledger.today.usd == 0.5
    clock.now += 1.0
    assert ledger.today.usd == 0.0
    ledger.observe(outcome(0.3, at=clock.now - 10.0))
    assert ledger.today.usd == 0.0, "that was yesterday's"


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 11, 21), 24)])
def test_days_are_as_long_as_they_are(day: tuple[int, int, int], hours: int) -> None:
    clock = Clock(datetime(*day, 12, tzinfo=BERLIN).timestamp())
    ledger = Ledger(time_zone="Europe/Berlin", clock=clock)
    ledger.observe(outcome(1.0, at=clock.now))
    midnight = datetime(*day, tzinfo=BERLIN).timestamp()
    clock.now = midnight + hours * 3600 - 1
    assert ledger.today.usd == 1.0
    clock.now += 1
    assert ledger.today.usd == 0.0


def test_a_clock_that_jumps_back_does_not_give_the_money_back() -> None:
    clock = Clock(NOON)
    ledger = Ledger(1.0, time_zone="Europe/Berlin", clock=clock)
    ledger.observe(outcome(0.5))
    clock.now = NOON - 13 * 3600
    assert ledger.today.usd == 0.5


def test_what_is_spent_after_a_clock_jumped_back_over_midnight_counts() -> None:
    clock = Clock(NOON)
    ledger = Ledger(1.0, time_zone="Europe/Berlin", clock=clock)
    clock.now += 86_400.0  # a day ahead by mistake, which somebody looks at
    assert ledger.today.usd == 0.0
    clock.now = NOON
    ledger.observe(outcome(0.95))
    assert ledger.today.usd == 0.95
    assert ledger.readings()[0].state == "critical"


@given(
    st.lists(st.tuples(st.none() | st.floats(0, 10), st.sampled_from(["billed", "estimated", "unpriced"])))
)
def test_after_a_restart_it_is_what_it_was(calls: list[tuple[float | None, CostState]]) -> None:
    """What `load` makes of the sums a log gives is what `observe` made of the calls."""
    lived = Ledger(clock=Clock(NOON))
    sums: dict[CostState, list[float | None]] = {}
    for cost, state in calls:
        lived.observe(outcome(cost, state))
        sums.setdefault(state, []).append(None if state == "unpriced" else cost)

    class Sums(LogReader):
        def spent(self, after: float, *, key: str | None = None) -> list[tuple[str, CostState, float, int]]:
            assert after <= NOON
            assert key is None
            return [("gpt", state, sum(c or 0.0 for c in costs), len(costs)) for state, costs in sums.items()]

    again = Ledger(clock=Clock(NOON))
    again.load(Sums(Path("nowhere")))
    assert again.today.usd == pytest.approx(lived.today.usd)
    assert again.today.unpriced == lived.today.unpriced


def test_the_log_gives_the_day_back(tmp_path: Path) -> None:
    async def write() -> None:
        async with SqliteLog(tmp_path / "log.sqlite") as log:
            for number, (cost, state, at) in enumerate(CALLS):
                await log.append(decision(number, at), outcome(cost, state, at, number))  # type: ignore[arg-type]

    asyncio.run(write())
    ledger = Ledger(time_zone="Europe/Berlin", clock=Clock(NOON))
    ledger.load(LogReader(tmp_path / "log.sqlite"))
    assert ledger.today == Spending(0.5, 0.1, 1)


def test_a_clock_that_was_a_year_ahead_does_not_make_a_day_of_a_year() -> None:
    clock = Clock(NOON + 365 * 86_400.0)
    ledger = Ledger(1.0, time_zone="Europe/Berlin", clock=clock)
    ledger.observe(outcome(2.0, at=clock.now))
    clock.now = NOON
    assert ledger.today.usd == 0.0
    ledger.observe(outcome(0.25, at=NOON))
    assert ledger.today.usd == 0.25
    clock.now = NOON + 86_400.0
    assert ledger.today.usd == 0.0
