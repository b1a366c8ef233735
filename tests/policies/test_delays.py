"""What signals add to latency, and what they do not."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import signals

from edgewise.domain.signals import Signal, State
from edgewise.policies.delays import delays


def signal(name: str, value: float | None, state: State = "normal") -> Signal:
    return Signal(name, value, "s", 1.8e9, "test", state)


def test_round_trip_and_queue_add_up_by_candidate() -> None:
    found = delays(
        [
            signal("rtt_s:far", 0.25),
            signal("queue_wait_s:far", 1.5),
            signal("queue_wait_s:near", 0.5, "critical"),
        ]
    )
    assert found == {"far": 1.75, "near": 0.5}


def test_a_candidates_id_may_hold_a_colon() -> None:
    assert delays([signal("rtt_s:llama3:8b", 0.25)]) == {"llama3:8b": 0.25}


def test_what_is_unknown_is_neither_good_nor_bad() -> None:
    assert delays([signal("rtt_s:far", 9.0, "unknown")]) == {}


@pytest.mark.parametrize("value", [None, nan, inf, -1.0, 0.0])
def test_a_value_without_sense_adds_nothing(value: float | None) -> None:
    assert delays([signal("rtt_s:far", value)]) == {}


@given(st.lists(signals, max_size=5))
def test_other_signals_add_nothing(others: list[Signal]) -> None:
    mine = signal("rtt_s:far", 0.25)
    assert delays([*others, mine, *others]) == {"far": 0.25}
