from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.monitors.drift.drifting import NOW, store
from tests.outcomes.sample import OUTCOME, decision, outcome

from edgewise.constraints import constraints_for
from edgewise.constraints.energy import EnergyBudget, leanest
from edgewise.domain.candidates import Candidate
from edgewise.domain.energy import CLOUD, Joules, energy_of
from edgewise.domain.requests import Request
from edgewise.domain.signals import Signal
from edgewise.execution.energy import Share
from edgewise.monitors.gpu import Gpu
from edgewise.monitors.joules import CpuJoules, GpuJoules
from edgewise.outcomes import LogReader
from edgewise.outcomes.ledger import Ledger
from edgewise.outcomes.wording import energy
from edgewise.settings import CandidateSettings, Settings
from edgewise.settings.schema import BudgetSettings

EDGE = Candidate("phi", "edge", "device")
GIANT = Candidate("giant", "cloud", "cloud")
ASKED = Request("req_1", "Hi", "Hi", b"{}")


def test_the_best_known_basis_counts_and_unknown_is_not_nothing() -> None:
    assert energy_of(EDGE, 2.0, 10, 5) is None
    assert energy_of(replace(EDGE, power_watts=30.0), 2.0, 10, 5) == (60.0, "watts")
    assert energy_of(GIANT, 2.0, 10, 5) == (10 * CLOUD.input + 5 * CLOUD.output, "tokens")
    own = replace(GIANT, joules_per_token=Joules(1.0, 3.0), power_watts=700.0)
    assert energy_of(own, 2.0, 10, 5) == (25.0, "tokens")
    assert energy_of(GIANT, 2.0, None, 5) is None


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.booleans()), min_size=1, max_size=40))
def test_the_parts_of_all_calls_are_what_was_counted_while_any_was_under_way(
    steps: list[tuple[float, bool]],
) -> None:
    counted = [0.0]
    share = Share(lambda: counted[0], "cpu")
    under_way: list[Any] = []
    expected, found = 0.0, 0.0
    for moved, begins in steps:
        counted[0] += moved
        if under_way:
            expected += moved
        if begins or not under_way:
            under_way.append(share.begin())
        else:
            joules = share.end(under_way.pop(0))
            assert joules is not None
            found += joules
    found += sum(joules for ticket in list(under_way) if (joules := share.end(ticket)) is not None)
    assert found == pytest.approx(expected)


def test_a_counter_that_starts_anew_or_falls_silent_invents_nothing() -> None:
    counted: list[float | None] = [100.0]
    share = Share(lambda: counted[0], "cpu")
    first = share.begin()
    counted[0] = 3.0
    assert share.end(first) == 0.0
    second = share.begin()
    counted[0] = None
    third = share.begin()
    counted[0] = 9.0
    assert (share.end(second), share.end(third)) == (None, None)


def test_a_call_that_was_lost_takes_no_part() -> None:
    counted = [0.0]
    share = Share(lambda: counted[0], "gpu")
    lost = share.begin()
    del lost
    gc.collect()
    kept = share.begin()
    counted[0] = 10.0
    assert share.end(kept) == 10.0


def test_cpu_time_is_that_of_the_process() -> None:
    mine = CpuJoules(os.getpid, 10.0)
    before = mine()
    assert before is not None
    sum(n * n for n in range(300_000))
    after = mine()
    assert after is not None
    assert after >= before > 0.0
    assert CpuJoules(lambda: None, 10.0)() is None


class Library:
    """Two processors, of which one does not count."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None:  # noqa: N802 - NVIDIA's name
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - the same
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802 - the same
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, device: int) -> int:  # noqa: N802 - the same
        if device:
            raise self.NVMLError
        return 5000


def test_the_graphics_processors_count_in_millijoules() -> None:
    assert GpuJoules(Library())() == 5.0
    assert Gpu(Library()).joules() == 5.0


def test_people_read_it_as_an_estimate_with_its_basis() -> None:
    attempt = replace(OUTCOME.attempts[0], energy_j=12.3, energy_basis="cpu")
    said = energy(replace(OUTCOME, attempts=(attempt,), energy_j=12.3))
    assert said == "about 12.3 J, an estimate (by CPU time)"
    assert energy(OUTCOME) is None


def test_a_day_of_energy_is_added_up_from_the_log_on(tmp_path: Path) -> None:
    first, second, old = decision(at=NOW), decision(at=NOW), decision(at=NOW)
    store(tmp_path / "log", first, outcome(first, at=NOW, energy_j=700.0), old,
          outcome(old, at=NOW - 2 * 86_400.0, energy_j=9.0))  # fmt: skip
    ledger = Ledger(joules_per_day=1000.0, clock=lambda: NOW)
    ledger.load(LogReader(tmp_path / "log"))
    states = {reading.name: (reading.value, reading.state) for reading in ledger.readings()}
    assert states["spent_j"] == (700.0, "constrained")
    ledger.observe(outcome(second, at=NOW, energy_j=250.0))
    ledger.observe(outcome(second, at=NOW, energy_j=None))
    states = {reading.name: (reading.value, reading.state) for reading in ledger.readings()}
    assert states["spent_j"] == (950.0, "critical")
    assert states["budget_j"] == (1000.0, "normal")


@pytest.mark.parametrize(
    ("spent", "state", "penalty"),
    [(10.0, "normal", 0.0), (75.0, "constrained", 0.2), (95.0, "critical", 100.0), (120.0, "critical", None)],
)
def test_the_leanest_answers_once_the_energy_is_spent(
    spent: float, state: Any, penalty: float | None
) -> None:
    budget = EnergyBudget(100.0, "phi")
    signals = {"spent_j": Signal("spent_j", spent, "J", NOW, "ledger", state)}
    assert budget.objection(ASKED, EDGE, signals) is None
    found = budget.objection(ASKED, GIANT, signals)
    if penalty == 0.0:
        assert found is None
    else:
        assert found is not None
        assert (found.rule, found.penalty) == ("budget", penalty)
    assert budget.objection(ASKED, GIANT, {}) is None


def test_who_is_the_leanest_is_known_from_the_configuration() -> None:
    assert leanest([EDGE, GIANT], {}) == "giant"
    assert leanest([EDGE, GIANT], {"phi": 10.0}) == "phi"
    assert leanest([EDGE], {}) is None
    settings = Settings(
        budget=BudgetSettings(joules_per_day=1000.0),
        candidates=(
            CandidateSettings("phi", "edge", embedded="smollm2-135m"),
            CandidateSettings("giant", "cloud", url="https://api.example.com/v1"),
        ),
    )
    (found,) = [rule for rule in constraints_for(settings) if isinstance(rule, EnergyBudget)]
    assert found == EnergyBudget(1000.0, "phi")
