"""The last hour and day of signals, by a clock that the test sets."""

from __future__ import annotations

from threading import Event

from edgewise.domain.signals import Signal, Signals
from edgewise.monitors import SettableClock
from edgewise.monitors.history import EVERY_S, MOST_NAMES, SPANS, History


def known(**values: float | None) -> Signals:
    return {name: Signal(name, value, "share", 0.0, "test") for name, value in values.items()}


def test_a_bucket_holds_the_mean_of_what_was_known() -> None:
    clock, now = SettableClock(), known(cpu=0.2, gpu=None)
    history = History(lambda: now, clock=clock)
    clock.advance(60.0 - clock.wall() % 60.0)
    for value in (0.2, 0.4, None):
        now = known(cpu=value, gpu=None)
        history.take()
        clock.advance(EVERY_S)
    steps, series = history.series("1h")
    assert set(series) == {"cpu"}, "what was never known is not there"
    assert len(steps) == len(series["cpu"]) == 60
    assert abs((series["cpu"][-1] or 0.0) - 0.3) < 1e-12
    assert series["cpu"][:-1] == [None] * 59
    assert steps[-1] <= clock.wall() < steps[-1] + 60.0


def test_it_forgets_and_stays_small() -> None:
    clock = SettableClock()
    history = History(lambda: known(**{f"s{at}": 1.0 for at in range(MOST_NAMES + 50)}), clock=clock)
    for _ in range(200):
        history.take()
        clock.advance(60.0)
    assert len(history.series("1h")[1]) == MOST_NAMES
    held = {span: len(ring) for span, ring in history._rings.items()}
    assert all(held[span] <= count for span, (_, count) in SPANS.items())
    clock.advance(86_400.0)
    assert history.series("24h")[1] == {}


def test_it_samples_by_itself_and_ends() -> None:
    asked = Event()

    def signals() -> Signals:
        asked.set()
        return known(cpu=0.5)

    with History(signals) as history:
        assert asked.wait(120)
    assert history.series("1h")[1].keys() <= {"cpu"}


def test_a_clock_that_was_ahead_leaves_nothing_behind() -> None:
    clock = SettableClock()
    history = History(lambda: known(cpu=0.5), clock=clock)
    for _ in range(5):
        clock.advance(1e8)
        history.take()
        clock.advance(-1e8)
        history.take()
    assert all(len(ring) == 1 for ring in history._rings.values())
    assert history.series("1h")[1]["cpu"][-1] == 0.5
