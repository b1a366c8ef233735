"""A breaker opens, probes and closes; whatever happens, a request is left with somebody to ask."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgewise.constraints import Circuit, shortlist
from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import CircuitOpen, UpstreamError, UpstreamRefused
from edgewise.domain.requests import Request
from edgewise.domain.signals import Reading
from edgewise.execution import Circuits
from edgewise.execution.breaker import Breaker, Rules
from edgewise.gateway.chat_body import chat_of
from edgewise.monitors import Board, SettableClock

RULES = Rules()
EDGE, CLOUD = Candidate("edge", "edge", "device"), Candidate("cloud", "cloud", "cloud")


def state_of(breaker: Breaker) -> str:
    """Its state as of now: type checkers remember what an attribute was."""
    return breaker.state


def failing(times: int, *, now: float = 0.0, took_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        assert breaker.admit(now)
        breaker.failed(now, took_s)
    return breaker


def test_failures_in_a_row_open_it_and_a_success_in_between_does_not() -> None:
    assert failing(RULES.in_a_row - 1).state == "closed"
    assert failing(RULES.in_a_row).state == "open"
    breaker = failing(RULES.in_a_row - 1)
    breaker.succeeded(0.0)
    breaker.failed(0.0)
    assert state_of(breaker) == "closed"


def test_a_share_of_failures_opens_it_once_there_were_enough_calls() -> None:
    breaker = Breaker()
    for call in range(RULES.fewest - 1):
        (breaker.failed if call % 2 else breaker.succeeded)(1.0)
    assert state_of(breaker) == "closed"
    breaker.failed(1.0)
    assert state_of(breaker) == "open"
    assert not breaker.dead  # half of its calls are answered


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    for call in range(RULES.fewest - 2):
        (breaker.failed if call % 2 else breaker.succeeded)(1.0)
    for call in range(RULES.fewest - 2):
        (breaker.failed if call % 2 else breaker.succeeded)(100.0)
    assert state_of(breaker) == "closed"


def test_one_real_request_at_a_time_probes_it_and_two_close_it() -> None:
    breaker = failing(RULES.in_a_row)
    assert not breaker.admit(0.5)
    assert breaker.admit(1.0)
    assert state_of(breaker) == "half-open"
    assert not breaker.admit(1.0)
    breaker.succeeded(1.1)
    assert state_of(breaker) == "half-open"
    assert breaker.admit(1.1)
    breaker.succeeded(1.2)
    assert state_of(breaker) == "closed"


def test_a_probe_that_fails_doubles_the_wait_up_to_its_bound() -> None:
    breaker, now, waits = failing(RULES.in_a_row), 0.0, list[float]()
    for _ in range(6):
        waits.append(breaker.until - now)
        now = breaker.until
        assert breaker.admit(now)
        breaker.failed(now)
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_probe_that_never_ends_does_not_bar_the_next() -> None:
    breaker = failing(RULES.in_a_row)
    assert breaker.admit(1.0)
    assert not breaker.admit(1.0 + RULES.longest_s - 0.1)
    assert breaker.admit(1.0 + RULES.longest_s)


def refused(status: int, retry_after: str | None = None) -> UpstreamRefused:
    return UpstreamRefused(f"HTTP {status}", status=status, body=b"", retry_after=retry_after)


def test_what_is_the_requests_fault_or_ours_does_not_count() -> None:
    circuits = Circuits(clock=lambda: 0.0)
    for status in (400, 401, 403, 404, 422):
        for _ in range(3 * RULES.in_a_row):
            circuits.failed("a", circuits.of("a").epoch, refused(status), 0.0)
    assert circuits.is_closed("a")
    for _ in range(RULES.in_a_row):
        circuits.failed("a", circuits.of("a").epoch, refused(500), 0.0)
    assert not circuits.is_closed("a")


def test_a_429_is_a_rest_of_its_retry_after_within_bounds() -> None:
    for said, rest in (("7", 7.0), ("3600", 60.0), ("-5", 1.0), ("soon", 1.0), ("1e300", 1.0), (None, 1.0)):
        circuits = Circuits(clock=lambda: 0.0)
        circuits.failed("a", 0, refused(429, said), 0.0)
        assert circuits.of("a").state == "open"
        assert circuits.of("a").until == rest, said


@pytest.mark.parametrize("said", ["0", "0.001", "Sat, 21 Nov 2020 13:23:37 GMT", None])
def test_a_429_that_names_no_time_to_come_is_a_short_rest(said: str | None) -> None:
    now = [0.0]
    circuits = Circuits(clock=lambda: now[0])
    circuits.failed("edge", 0, UpstreamRefused("slow", status=429, body=b"", retry_after=said), 0.1)
    now[0] = RULES.open_s * 0.9
    assert circuits.refusal("edge", last=False) is not None
    assert circuits.refusal("edge", last=True) is None  # nobody else is left, and it answers at once
    now[0] = RULES.open_s
    assert circuits.refusal("edge", last=False) is None


def test_what_was_asked_before_the_circuit_opened_is_no_news() -> None:
    circuits = Circuits(clock=lambda: 0.0)
    for _ in range(RULES.in_a_row):
        circuits.failed("a", 0, refused(500), 0.0)
    for _ in range(RULES.proof):
        circuits.succeeded("a", 0)  # answers to calls of before
    assert not circuits.is_closed("a")


def test_only_a_last_candidate_that_hangs_is_not_asked() -> None:
    for took_s, asked in ((0.0, True), (5.0, False)):
        circuits = Circuits(clock=lambda: 0.0)
        for _ in range(RULES.in_a_row):
            circuits.failed("a", 0, refused(500), took_s)
        assert isinstance(circuits.refusal("a", last=False), CircuitOpen)
        refusal = circuits.refusal("a", last=True)
        assert (refusal is None) is asked
        assert refusal is None or refusal.retry_after_s == 1.0


class Breaking(RuleBasedStateMachine):
    """Two candidates and a router's rules; calls begin and end, well or badly, as time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SettableClock()
        self.board = Board(clock=self.clock)
        self.circuits = Circuits(tell=self.tell, clock=self.clock.elapsed)
        self.under_way: list[tuple[str, int]] = []
        self.request: Request = chat_of("hello")

    def tell(self, readings: Iterable[Reading], ttl_s: float) -> None:
        self.board.put(readings, ttl_s=ttl_s)

    @rule(seconds=st.floats(0.0, 30.0))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(name=st.sampled_from(["edge", "cloud"]), last=st.booleans())
    def begin(self, name: str, last: bool) -> None:
        breaker = self.circuits.of(name)
        was, due = breaker.state, breaker.is_probe_due(self.clock.elapsed())
        refusal = self.circuits.refusal(name, last=last)
        if was == "closed" or due:
            assert refusal is None
        if refusal is None:
            self.under_way.append((name, breaker.epoch))
            assert last or was == "closed" or due
        else:
            assert 0.0 <= refusal.retry_after_s <= RULES.longest_cooldown_s

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), end=st.sampled_from(["ok", "slow", "quick", "429", "400", "gone"]))
    def end(self, data: st.DataObject, end: str) -> None:
        name, epoch = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        match end:
            case "ok":
                self.circuits.succeeded(name, epoch)
            case "gone":
                self.circuits.let_go(name, epoch)
            case "429" | "400":
                self.circuits.failed(name, epoch, refused(int(end), "3"), 0.0)
            case _:
                self.circuits.failed(name, epoch, UpstreamError("no"), 1.0 if end == "slow" else 0.0)

    @invariant()
    def the_last_candidate_is_never_ejected(self) -> None:
        signals = self.board.read()
        for field in ((EDGE, CLOUD), (EDGE,), (CLOUD,)):
            kept, _ = shortlist(self.request, field, (Circuit(),), signals)  # raises where nobody is left
            left_alone = {c.id for c in field if self.is_left_alone(c.id)}
            names = {c.id for c in field}
            assert {c.id for c in kept} == (names - left_alone or names)

    @invariant()
    def whoever_is_open_is_known_to_be(self) -> None:
        for name in ("edge", "cloud"):
            breaker = self.circuits.of(name)
            if breaker.state == "open" and breaker.until > self.clock.elapsed() + 1e-6:
                assert self.is_left_alone(name)
            if breaker.state == "closed":
                assert not self.is_left_alone(name)

    def is_left_alone(self, name: str) -> bool:
        signal = self.board.read().get(f"breaker:{name}")
        return signal is not None and signal.state == "critical"

    @invariant()
    def it_is_open_for_no_longer_than_its_bound(self) -> None:
        for name in ("edge", "cloud"):
            breaker = self.circuits.of(name)
            assert breaker.state in ("closed", "open", "half-open")
            assert breaker.until - self.clock.elapsed() <= RULES.longest_cooldown_s

    def teardown(self) -> None:
        """However it fared: calls that are answered from now on close it again."""
        for name in ("edge", "cloud"):
            for _ in range(RULES.proof):
                self.clock.advance(RULES.longest_cooldown_s)
                assert self.circuits.refusal(name, last=False) is None
                self.circuits.succeeded(name, self.circuits.of(name).epoch)
            assert self.circuits.is_closed(name)


TestBreaking = Breaking.TestCase
TestBreaking.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
