"""Whether an endpoint is there: what it takes to believe it, and how soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.calls import Fault
from edgewise.monitors.reach import Reach

faults = st.sampled_from([None, "unreachable", "timeout", "failing", "limited"])


def test_nothing_is_known_at_first_and_one_look_is_enough() -> None:
    reach = Reach()
    assert reach.state(0.0) == "unknown"
    assert reach.wants_probe(0.0)
    reach.probed(0.1, reached=True)
    assert reach.state(0.1) == "normal"
    assert not reach.wants_probe(20.0)
    assert reach.wants_probe(31.0), "calls and probes have said nothing for half a minute"


def test_one_failure_is_doubt_two_are_proof() -> None:
    reach = Reach()
    reach.called(0.0, None)
    reach.called(1.0, "unreachable")
    assert reach.state(1.0) != "critical"
    assert reach.wants_probe(1.0)
    reach.probed(1.2, reached=False)
    assert reach.state(1.2) == "critical"


def test_a_call_that_waits_is_looked_into() -> None:
    reach = Reach()
    reach.called(0.0, None)
    assert not reach.wants_probe(10.5, waiting_since=10.0)
    assert reach.wants_probe(10.8, waiting_since=10.0)
    reach.probed(10.9, reached=True)
    assert not reach.wants_probe(12.0, waiting_since=10.0), "it is there, and takes its time to answer"


def test_refusals_are_no_sign_of_absence() -> None:
    reach = Reach()
    for second in range(20):
        reach.called(float(second), "limited")
        assert reach.state(float(second)) == "normal"
    for second in range(20, 40):
        reach.called(float(second), "failing")
    assert reach.state(40.0) == "constrained", "it is there, and fails"


def test_it_is_back_with_the_first_success() -> None:
    reach = Reach()
    reach.probed(0.0, reached=True)
    reach.probed(5.0, reached=False)
    reach.probed(5.5, reached=False)
    assert reach.state(6.0) == "critical"
    assert reach.wants_probe(7.6)
    reach.probed(7.6, reached=True)
    assert reach.state(7.6) == "normal"


def test_a_flapping_way_must_stay_before_it_is_believed() -> None:
    """A link that is up and down every 3 s for five minutes: with one success it would flip 100 times."""
    reach, flips, before = Reach(), 0, "unknown"
    for half_second in range(600):
        now = half_second / 2
        up = int(now / 3) % 2 == 0
        if reach.wants_probe(now) or half_second % 2 == 0:
            reach.probed(now, reached=up)
        state = reach.state(now)
        flips += state != before
        before = state
    assert flips <= 12


def test_a_way_that_came_back_for_good_is_believed_within_ten_seconds() -> None:
    reach, now = Reach(), 0.0
    for _ in range(10):  # it has flapped
        reach.probed(now, reached=True)
        reach.probed(now + 1, reached=False)
        reach.probed(now + 2, reached=False)
        now += 3.0
    back = now
    while reach.state(now) == "critical":
        if reach.wants_probe(now):
            reach.probed(now, reached=True)
        now += 0.5
    assert now - back <= 10.0


@given(st.lists(st.tuples(st.floats(0.0, 40.0), faults), max_size=60))
def test_the_share_of_failures_is_a_share(calls: list[tuple[float, Fault | None]]) -> None:
    reach, now = Reach(), 0.0
    for pause, fault in calls:
        now += pause
        reach.called(now, fault)
        loss = reach.loss(now)
        assert loss is None or 0.0 <= loss <= 1.0
        assert reach.state(now) in ("unknown", "normal", "constrained", "critical")


@given(st.lists(faults.filter(lambda fault: fault not in ("unreachable", "timeout")), max_size=50))
def test_an_endpoint_that_answers_is_never_gone(calls: list[Fault | None]) -> None:
    reach = Reach()
    for second, fault in enumerate(calls):
        reach.called(float(second), fault)
        assert reach.state(float(second)) != "critical"
