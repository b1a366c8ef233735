from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.signals import Reading, Signal
from edgewise.monitors import Board, SettableClock, Watch
from edgewise.settings.schema import LevelSettings


class Says:
    """A monitor that gives what it is told to, or raises it."""

    def __init__(self, *answers: Iterable[Reading] | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def read(self) -> Iterable[Reading]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def cpu(value: float | None) -> Reading:
    return Reading("cpu", value, "share", "test")


def link(up: bool) -> Reading:
    return Reading("link", float(up), "yes or no", "test", "normal" if up else "critical")


def states(board: Board) -> dict[str, str]:
    return {name: signal.state for name, signal in board.read().items()}


def test_a_reading_becomes_a_signal() -> None:
    clock = SettableClock(wall=1000.0)
    board = Board(clock=clock)
    board.put([cpu(0.25)])
    assert board.read() == {"cpu": Signal("cpu", 0.25, "share", 1000.0, "test", "normal", 30.0)}


def test_what_was_given_does_not_change() -> None:
    board = Board()
    board.put([cpu(0.1)])
    before = board.read()
    board.put([cpu(0.9), link(up=True)])
    assert list(before) == ["cpu"]
    assert before["cpu"].value == 0.1
    with pytest.raises(TypeError):
        before["cpu"] = before["cpu"]  # type: ignore[index]  # that it is refused is the point


@given(ttl=st.floats(0.1, 100), age=st.floats(0, 200))
def test_stale_is_unknown(ttl: float, age: float) -> None:
    clock = SettableClock()
    board = Board(clock=clock)
    board.put([cpu(0.5)], ttl_s=ttl)
    clock.advance(age)
    signal = board.read()["cpu"]
    assert (signal.value, signal.state) == ((0.5, "normal") if age < ttl else (None, "unknown"))


@given(st.lists(st.floats(-3600, 3600), max_size=5))
def test_a_wall_clock_that_jumps_changes_nothing_but_the_time_said(jumps: list[float]) -> None:
    clock, calm = SettableClock(), SettableClock()
    board, quiet = Board(clock=clock), Board(clock=calm)
    for step, jump in enumerate([0.0, *jumps]):
        clock.jump(jump)
        for each, its in ((board, clock), (quiet, calm)):
            its.advance(1.0)
            each.put([cpu(0.3 * (step % 4))])
        found, expected = board.read()["cpu"], quiet.read()["cpu"]
        assert (found.value, found.state) == (expected.value, expected.state)


def test_a_ttl_of_the_level_outranks_the_writers() -> None:
    clock = SettableClock()
    board = Board(clock=clock, levels={"cpu": LevelSettings(ttl_s=2.0)})
    board.put([cpu(0.5)], ttl_s=100.0)
    clock.advance(2.0)
    assert states(board) == {"cpu": "unknown"}


@pytest.mark.parametrize("value", [None, nan, inf, -inf])
def test_no_number_is_unknown_at_once(value: float | None) -> None:
    board = Board()
    board.put([cpu(0.99)])
    board.put([cpu(value)])
    assert (board.read()["cpu"].value, states(board)) == (None, {"cpu": "unknown"})


def test_what_the_source_knows_needs_no_dwell() -> None:
    clock = SettableClock()
    board = Board(clock=clock)
    for up in (True, False, True):
        board.put([link(up)])
        assert states(board) == {"link": "normal" if up else "critical"}


def test_a_level_is_for_a_signal_or_for_its_family() -> None:
    levels = {"tide": LevelSettings(constrained=0.2), "tide:slow": LevelSettings(constrained=0.9)}
    board = Board(levels=levels)
    board.put([Reading(f"tide:{name}", 0.5, "m", "test") for name in ("slow", "fast")])
    assert states(board) == {"tide:slow": "normal", "tide:fast": "constrained"}


def test_each_monitor_is_read_at_its_own_pace() -> None:
    clock = SettableClock()
    often, rarely = Says([cpu(0.1)]), Says([link(up=True)])
    board = Board([Watch("often", often, 1.0), Watch("rarely", rarely, 10.0)], clock=clock)
    waits = []
    for _ in range(20):
        waits.append(board.sample())
        clock.advance(1.0)
    assert (often.asked, rarely.asked) == (20, 2)
    assert waits == [1.0] * 20


def test_after_a_sleep_it_does_not_catch_up() -> None:
    clock = SettableClock()
    monitor = Says([cpu(0.1)])
    board = Board([Watch("m", monitor, 1.0)], clock=clock)
    board.sample()
    clock.advance(3600.0)
    assert board.sample() == 1.0
    assert monitor.asked == 2


def test_a_monitor_that_fails_leaves_its_signals_unknown_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SettableClock()
    bad = Says([cpu(0.2)], OSError("gone"), OSError("gone"), [cpu(0.3)])
    board = Board([Watch("bad", bad), Watch("good", Says([link(up=True)]))], clock=clock)
    seen = []
    with caplog.at_level(logging.ERROR, logger="edgewise"):
        for _ in range(4):
            board.sample()
            seen.append(states(board)["cpu"])
            clock.advance(1.0)
    assert seen == ["normal", "unknown", "unknown", "normal"]
    assert states(board)["link"] == "normal"
    assert board.failures == {"bad": 2, "good": 0}
    assert [record.getMessage()[:24] for record in caplog.records] == ["The monitor bad failed; "]


def test_what_a_monitor_leaves_out_is_unknown() -> None:
    clock = SettableClock()
    board = Board([Watch("m", Says([cpu(0.2), link(up=True)], [link(up=True)], []))], clock=clock)
    found = []
    for _ in range(3):
        board.sample()
        found.append(states(board))
        clock.advance(1.0)
    assert found == [
        {"cpu": "normal", "link": "normal"},
        {"cpu": "unknown", "link": "normal"},
        {"cpu": "unknown", "link": "unknown"},
    ]


TEXT: Any = "0.5"
MOOD: Any = "bad"
NOBODY: Any = None
LISTED: Any = []


@pytest.mark.parametrize(
    "nonsense",
    [
        "text",
        Reading("cpu", TEXT, "share", "x"),
        Reading("cpu", 0.5, "share", "x", MOOD),
        Reading("cpu", 10**400, "share", "x"),
        Reading("cpu", -(10**400), "share", "x"),
        Reading(NOBODY, 0.5, "share", "x"),
        Reading(LISTED, 0.5, "share", "x"),
        Reading("cpu", 0.5, NOBODY, "x"),
        Reading("cpu", 0.5, "share", NOBODY),
    ],
)
def test_nonsense_is_a_failure_and_not_the_end(nonsense: Any) -> None:
    board = Board([Watch("m", Says([nonsense]))])
    board.sample()
    assert board.failures == {"m": 1}
    assert board.read() == {}


def test_a_monitor_that_wants_to_end_the_program_or_never_ends_is_no_end() -> None:
    class Leaves:
        def read(self) -> Iterable[Reading]:
            raise SystemExit(1)

    class Babbles:
        def read(self) -> Iterable[Reading]:
            while True:
                yield cpu(0.2)

    board = Board([Watch("leaves", Leaves()), Watch("babbles", Babbles()), Watch("m", Says([link(up=True)]))])
    board.sample()
    assert board.failures == {"leaves": 1, "babbles": 0, "m": 0}
    assert states(board) == {"cpu": "normal", "link": "normal"}


def test_a_thread_that_hangs_makes_everything_unknown() -> None:
    release, hanging = threading.Event(), threading.Event()

    class Hangs:
        def read(self) -> Iterable[Reading]:
            if board.read():
                hanging.set()
                release.wait(60)
            return [cpu(0.2)]

    clock = SettableClock()
    board = Board([Watch("m", Hangs(), 0.001)], clock=clock)
    board.put([link(up=True)])
    with board:
        assert hanging.wait(60)
        clock.advance(31.0)
        assert states(board) == {"link": "unknown"}
        release.set()


def test_an_interval_may_be_as_long_as_it_likes() -> None:
    with Board([Watch("m", Says([link(up=True)]), 1e300)]) as board:
        (thread,) = board._threads
        while not board.read():
            thread.join(0.01)
        thread.join(0.1)
        assert thread.is_alive()


def test_one_that_hangs_alone_keeps_nobody_else_from_being_read() -> None:
    release, again = threading.Event(), threading.Event()

    class Hangs:
        def read(self) -> Iterable[Reading]:
            release.wait(60)
            return [cpu(0.2)]

    class Counts:
        times = 0

        def read(self) -> Iterable[Reading]:
            self.times += 1
            if self.times > 2:
                again.set()
            return [link(up=True)]

    with Board([Watch("hangs", Hangs(), 0.001, alone=True), Watch("counts", Counts(), 0.001)]) as board:
        try:
            assert again.wait(60)
            assert states(board) == {"link": "normal"}
        finally:
            release.set()


def test_the_thread_reads_by_itself_and_ends() -> None:
    read = threading.Event()

    class Counts:
        def read(self) -> Iterable[Reading]:
            read.set()
            return [cpu(0.2)]

    with Board([Watch("m", Counts(), 0.001)]) as board:
        assert read.wait(60)
        board.open()  # a second thread would stay behind
        names = [t.name for t in threading.enumerate() if t.name == "edgewise-signals"]
        assert len(names) == 1
    assert not [t for t in threading.enumerate() if t.name == "edgewise-signals"]


def test_a_board_without_monitors_starts_no_thread() -> None:
    with Board() as board:
        assert board.read() == {}
        assert not [t for t in threading.enumerate() if t.name == "edgewise-signals"]


def test_a_link_is_lost_at_once_and_back_after_five_quiet_seconds() -> None:
    clock = SettableClock()
    board = Board(clock=clock)
    found = []
    for up in [True, False, True, True, False, *[True] * 6]:
        board.put([Reading("link", float(up), "yes or no", "test", None if up else "critical")])
        found.append(states(board)["link"])
        clock.advance(1.0)
    assert found == ["normal", *["critical"] * 8, "normal", "normal"]
