from __future__ import annotations

import pytest
from benchmarks.signal_traces import (
    BEGIN,
    END,
    PAGE,
    Trace,
    brownout,
    by_threshold,
    drain,
    flapping,
    judge,
    on_a_board,
    recorded,
    slowdown,
    storm,
    table,
)


def test_the_page_holds_the_table() -> None:
    assert PAGE.read_text().partition(BEGIN)[2].partition(END)[0] == table()


@pytest.mark.parametrize("seed", range(20))
def test_one_slowdown_in_an_hour_is_two_changes_seen_within_five_seconds(seed: int) -> None:
    found = judge(trace := slowdown(seed), on_a_board(trace))
    assert found.flips == 2
    assert found.detection is not None
    assert found.detection <= 5.0
    assert judge(trace, by_threshold(trace)).flips > 500


@pytest.mark.parametrize("seed", range(5))
def test_a_clock_that_jumps_changes_nothing(seed: int) -> None:
    calm, jumping = slowdown(seed), slowdown(seed, jumps=3600.0)
    assert sum(abs(step.jump) for step in jumping.steps) > 3600.0
    with_jumps_only = calm._replace(
        steps=[a._replace(jump=b.jump) for a, b in zip(calm.steps, jumping.steps, strict=True)]
    )
    assert list(on_a_board(with_jumps_only)) == list(on_a_board(calm))


@pytest.mark.parametrize("seed", range(5))
def test_a_flapping_link_is_down_at_once_and_up_when_it_holds(seed: int) -> None:
    found = judge(trace := flapping(seed), on_a_board(trace))
    assert found.flips == 2
    assert found.detection == 0.0
    assert found.recovery is not None
    assert found.recovery <= 6.0
    assert judge(trace, by_threshold(trace)).flips > 100


@pytest.mark.parametrize(
    "trace", [brownout(1), storm(1), drain(1), recorded(1)], ids=lambda trace: trace.name
)
def test_there_are_far_fewer_changes_than_by_a_threshold(trace: Trace) -> None:
    ours, raw = judge(trace, on_a_board(trace)), judge(trace, by_threshold(trace))
    assert 0 < ours.flips < raw.flips
    if trace.trouble is not None:
        assert ours.detection is not None
        assert ours.detection <= 10.0
