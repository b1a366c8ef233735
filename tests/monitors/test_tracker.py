from __future__ import annotations

from itertools import pairwise
from math import exp, expm1

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edgewise.monitors.tracker import Tracker
from edgewise.settings.levels import Band, Level

HIGH = Level(constrained=Band(0.8, 0.7), critical=Band(0.95, 0.9), dwell_s=5.0)
LOW = Level(constrained=Band(0.3, 0.35), critical=Band(0.1, 0.15), dwell_s=5.0)
GAPS = st.lists(st.floats(0.01, 20), min_size=1, max_size=40)


@given(
    st.lists(st.tuples(st.floats(0.01, 12), st.floats(0, 1)), max_size=80),
    st.sampled_from([HIGH, LOW]),
    st.floats(0, 30),
    st.floats(0.5, 30),
    st.sampled_from([0.0, 1.0, 20.0]),
)
def test_a_state_never_flips_within_the_dwell(
    samples: list[tuple[float, float]], level: Level, dwell: float, ttl: float, constant: float
) -> None:
    tracker = Tracker(replace(level, dwell_s=dwell, smoothing_s=constant))
    now, flips, last = 0.0, [], "normal"
    for gap, value in samples:
        now += gap
        _, state = tracker.observe(value, now, ttl)
        if state != last:
            flips.append(now)
            last = state
    assert all(later - earlier >= dwell for earlier, later in pairwise(flips))


@given(st.lists(st.floats(0.71, 0.79), min_size=1), st.booleans())
def test_between_the_two_levels_nothing_flips(values: list[float], bad: bool) -> None:
    tracker = Tracker(HIGH)
    first = tracker.observe(0.85 if bad else 0.5, 0.0, 60.0)[1]
    for second, value in enumerate(values, start=1):
        assert tracker.observe(value, 10.0 * second, 60.0)[1] == first


@given(GAPS, st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 30))
def test_smoothing_does_not_depend_on_how_often_one_looks(
    gaps: list[float], start: float, value: float, constant: float
) -> None:
    often, once = (Tracker(Level(smoothing_s=constant)) for _ in range(2))
    for tracker in (often, once):
        tracker.observe(start, 0.0, 1e9)
    now, found = 0.0, start
    for gap in gaps:
        now += gap
        found, _ = often.observe(value, now, 1e9)
    assert found == pytest.approx(once.observe(value, now, 1e9)[0], abs=1e-9)
    first = exp(-now / constant) * expm1(-1 / constant) / expm1(-(1 + now) / constant)
    assert found == pytest.approx(value + (start - value) * first, abs=1e-9)


def test_in_the_beginning_the_mean_is_a_plain_one() -> None:
    tracker = Tracker(Level(smoothing_s=1e6))
    values = [5.0, 1.0, 0.0, 2.0]
    means = [tracker.observe(value, float(now), 1e9)[0] for now, value in enumerate(values)]
    assert means == pytest.approx([5.0, 3.0, 2.0, 2.0], rel=1e-4)


def test_one_value_proves_nothing_of_what_is_smoothed() -> None:
    tracker = Tracker(Level(constrained=Band(0.8, 0.7), smoothing_s=10.0, dwell_s=3.0))
    found = [tracker.observe(value, float(now), 30.0)[1] for now, value in enumerate([1.0, 0.1, 0.2, 0.1])]
    assert found == ["normal"] * 4
    tracker = Tracker(Level(constrained=Band(0.8, 0.7), smoothing_s=10.0, dwell_s=3.0))
    found = [tracker.observe(0.9, float(now), 30.0)[1] for now in range(4)]
    assert found == ["normal"] * 3 + ["constrained"]


@given(GAPS, st.lists(st.floats(-5, 5), min_size=40, max_size=40))
def test_the_mean_stays_within_what_was_seen(gaps: list[float], values: list[float]) -> None:
    tracker = Tracker(Level(smoothing_s=3.0))
    now, seen = 0.0, []
    for gap, value in zip(gaps, values, strict=False):
        now += gap
        seen.append(value)
        mean, _ = tracker.observe(value, now, 1e9)
        assert min(seen) - 1e-9 <= mean <= max(seen) + 1e-9


@pytest.mark.parametrize(
    ("level", "values", "expected"),
    [
        (HIGH, [0.5, 0.8, 0.75, 0.7], ["normal", "constrained", "constrained", "normal"]),
        (HIGH, [0.96, 0.92, 0.85, 0.75, 0.6], ["critical", "critical", *["constrained"] * 2, "normal"]),
        (LOW, [0.5, 0.3, 0.34, 0.35], ["normal", "constrained", "constrained", "normal"]),
        (LOW, [0.05, 0.14, 0.15, 0.4], ["critical", "critical", "constrained", "normal"]),
        (Level(), [-1e9, 0.0, 1e9], ["normal"] * 3),
    ],
)
def test_levels_are_entered_and_left_where_they_say(
    level: Level, values: list[float], expected: list[str]
) -> None:
    tracker = Tracker(level)
    assert [tracker.observe(value, 10.0 * i, 60.0)[1] for i, value in enumerate(values)] == expected


def test_after_a_silence_it_begins_anew() -> None:
    tracker = Tracker(Level(constrained=Band(0.8, 0.7)))
    assert tracker.observe(0.9, 0.0, 10.0) == (0.9, "constrained")
    assert tracker.observe(0.75, 1.0, 10.0) == (0.75, "constrained")
    assert tracker.observe(0.75, 12.0, 10.0) == (0.75, "normal")


def test_after_a_silence_what_is_smoothed_forgets_its_mean() -> None:
    tracker = Tracker(Level(smoothing_s=1000.0))
    tracker.observe(0.9, 0.0, 10.0)
    assert tracker.observe(0.1, 11.0, 10.0)[0] == 0.1


def test_a_source_that_knows_is_believed_and_then_left_by_hysteresis() -> None:
    tracker = Tracker(Level(critical=Band(0.5, 0.9), smoothing_s=2.0, dwell_s=5.0))
    tracker.observe(1.0, 0.0, 10.0)
    tracker.set(0.0, "critical", 1.0)
    found = [tracker.observe(1.0, float(now), 10.0)[1] for now in range(2, 8)]
    assert found == ["critical"] * 4 + ["normal"] * 2
