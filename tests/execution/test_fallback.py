"""Who takes over, within odds, promises, budget and time; one record of the end, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.execution.fakes import EDGE, FAR, FAST, FIELD, NEAR, Bad, World, asked, decided, refused

from edgewise.domain.candidates import Candidate, Capabilities, Objection
from edgewise.domain.decisions import Decision, Estimate, Forecast, Outcome
from edgewise.domain.errors import (
    CircuitOpen,
    EdgewiseError,
    Overloaded,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    WouldLeave,
)
from edgewise.domain.protocols import Upstream
from edgewise.domain.requests import Request
from edgewise.execution import Circuits, Executor, RetryBudget
from edgewise.execution.plan import others
from edgewise.gateway.failures import failure
from edgewise.settings import ExecutionSettings
from edgewise.upstreams.reading import words_of
from edgewise.upstreams.scripted import Scripted


def names(found: Sequence[Candidate]) -> list[str]:
    return [candidate.id for candidate in found]


FAILURES = [
    UpstreamUnreachable("gone"), UpstreamTimeout("slow"), refused(500), refused(429), refused(401),
    refused(404),    UpstreamError("nonsense"), WouldLeave("no"), Overloaded("full", retry_after_s=1.0),
]  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_the_next_of_the_odds_answers_unseen(error: Exception, stream: bool) -> None:
    world = World({"edge": Scripted([error]), "near": Scripted(["near"]), "far": Scripted(["far away"])})
    answer, seen = world.told(asked(stream=stream))
    assert "far" in seen
    assert "error" not in seen
    told = answer.decision
    assert (told.chosen, told.location, told.reason, told.propensity) == ("far", "cloud", "fallback", 0.5)
    story = world.log.stories()[0]
    assert (story.decision.chosen, story.decision.reason) == ("edge", "best_utility")  # as it was drawn
    outcome = world.outcome
    assert (outcome.candidate, outcome.status, outcome.cost_state) == ("far", "ok", "billed")
    assert [(a.candidate, a.status) for a in outcome.attempts] == [("edge", "error"), ("far", "ok")]
    assert outcome.cost_usd == sum(a.cost_usd or 0.0 for a in outcome.attempts) > 0.0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_said_of_the_request_is_the_answer(status: int) -> None:
    world = World({"edge": Scripted([refused(status)]), "far": Scripted(["far"])})
    with pytest.raises(UpstreamRefused):
        world.told(asked())
    assert len(world.outcome.attempts) == 1


BEFORE = [Bad(0, UpstreamError("cut")), Bad(0), Bad(0, hangs=True)]


@pytest.mark.parametrize("bad", BEFORE, ids=["cut", "ended", "hung"])
def test_a_stream_that_fails_before_its_first_words_falls_back_unseen(bad: Bad) -> None:
    limits = replace(FAST, first_token_s=0.05)
    world = World({"edge": bad, "far": Scripted(["from far"])}, limits)
    _, seen = world.told(asked(stream=True))
    assert words_of(seen.encode()) == "from far"
    assert bad.closed == 1
    assert "error" not in seen
    assert world.outcome.status == "ok"


@pytest.mark.parametrize("end", [UpstreamError("cut"), None, ZeroDivisionError("a bug")], ids=str)
def test_after_its_first_words_a_failure_is_told(end: Exception | None) -> None:
    far = Scripted(["from far"])
    world = World({"edge": Bad(2, end), "far": far})
    _, seen = world.told(asked(stream=True))
    assert words_of(seen.encode()) == "one two"
    assert '"code":"incomplete_stream"' in seen
    assert seen.endswith("data: [DONE]\n\n")
    assert "a bug" not in seen
    assert not far.asked
    assert [(a.candidate, a.status) for a in world.outcome.attempts] == [("edge", "incomplete")]


def test_a_stream_that_falls_silent_is_ended() -> None:
    bad = Bad(1, hangs=True)
    world = World({"edge": bad, "far": Scripted(["far"])}, replace(FAST, idle_s=0.05))
    _, seen = world.told(asked(stream=True))
    assert "edge sent nothing for 0.05 s." in seen
    assert (bad.closed, world.outcome.status) == (1, "incomplete")


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_has_an_end_within_its_own_deadline(stream: bool) -> None:
    bad = Bad(0, hangs=True)
    world = World({"edge": bad, "far": Bad(0, hangs=True)})
    with pytest.raises(UpstreamTimeout) as caught:
        world.told(asked(stream=stream, wishes={"deadline": "0.05"}))
    assert failure(caught.value)[0] == 504
    assert (bad.closed, world.outcome.status) == (1, "error")


def test_a_call_that_takes_too_long_is_given_to_another() -> None:
    world = World({"edge": Bad(0, hangs=True), "far": Scripted(["far"])}, replace(FAST, try_s=0.05))
    _, seen = world.told(asked())
    assert "far" in seen


def test_a_stream_closed_before_it_is_read_is_an_outcome_and_hangs_up() -> None:
    async def main() -> None:
        answer = await world.answer(asked(stream=True))
        assert answer.pieces is not None
        await answer.pieces.aclose()

    bad = Bad(2, hangs=True)
    world = World({"edge": bad})
    asyncio.run(main())
    assert (world.outcome.status, bad.closed) == ("cancelled", 1)


def test_a_pinned_request_falls_back_only_when_asked_to() -> None:
    alone = (Objection("far", "pin", "pinned"), Objection("near", "capability", "no tools"))
    decision = {"shortlist": ("edge",), "odds": {"edge": 1.0}, "objections": alone}
    upstreams = {"edge": Scripted([refused(500)]), "near": Scripted(["near"]), "far": Scripted(["far"])}
    with pytest.raises(UpstreamRefused):
        World(upstreams).told(asked(model="edge"), **decision)
    world = World(upstreams)
    answer, _ = world.told(asked(model="edge", edgewise={"fallback": True}), **decision)
    assert answer.decision.chosen == "far"  # not near: more than the pin speaks against it
    with pytest.raises(UpstreamRefused):
        World(upstreams).told(asked(wishes={"fallback": "false"}))
    with pytest.raises(UpstreamRefused):
        World(upstreams, replace(FAST, fallback=False)).told(asked())


def test_the_order_is_that_of_odds_then_penalties_then_utility() -> None:
    field = {c.id: c for c in FIELD}
    request = asked()
    assert names(others(decided(request), EDGE, request, field)) == ["far", "near"]
    even = decided(request, odds={"edge": 0.4, "near": 0.3, "far": 0.3})
    assert names(others(even, EDGE, request, field)) == ["near", "far"]
    dear = replace(even, objections=(Objection("near", "budget", "dear", 0.2),))
    assert names(others(dear, EDGE, request, field)) == ["far", "near"]
    forecasts = {
        "far": Forecast(utility=Estimate(2.0, 1.0, 3.0)),
        "near": Forecast(utility=Estimate(1, 1, 1)),
    }
    assert names(others(replace(even, forecasts=forecasts), EDGE, request, field)) == ["far", "near"]
    assert names(others(decided(request, shortlist=("edge", "near")), EDGE, request, field)) == ["near"]
    assert not others(decided(request, shadow_of="req_1"), EDGE, request, field)


def test_nobody_is_asked_whom_the_privacy_does_not_permit() -> None:
    field = {c.id: c for c in FIELD}
    for privacy, allowed in (("local", ["edge"]), ("region:eu", ["edge", "near"]), ("region:us", ["edge"])):
        request = asked(wishes={"privacy": privacy})
        assert (
            names(others(decided(request), FAR, request, field)) == allowed
        )  # though the shortlist is wrong


def test_a_conversation_cut_to_a_window_goes_to_no_smaller_one() -> None:
    small = replace(NEAR, capabilities=Capabilities(context_tokens=100))
    large = replace(EDGE, capabilities=Capabilities(context_tokens=1000))
    request = asked()
    cut = replace(request, needs=replace(request.needs, least_tokens=50))
    field = {"edge": large, "near": small, "far": FAR}
    assert names(others(decided(cut), large, cut, field)) == ["far"]
    assert names(others(decided(request), large, request, field)) == ["far", "near"]


def test_where_all_fail_the_first_error_stands_and_is_not_to_be_retried() -> None:
    world = World({"edge": Scripted([refused(503)]), "near": Scripted([refused(500)]), "far": Bad(0)})
    with pytest.raises(UpstreamRefused) as caught:
        world.told(asked())
    assert caught.value.status == 503
    assert (b"x-should-retry", b"false") in failure(caught.value)[1]
    assert world.outcome.candidate == "edge"
    assert [a.candidate for a in world.outcome.attempts] == ["edge", "far", "near"]


def test_the_budget_ends_what_would_multiply() -> None:
    budget = RetryBudget(0.0, burst=3.0, clock=lambda: 0.0)
    far = Scripted(["far"])
    for _ in range(3):
        World({"edge": Scripted([refused(500)]), "far": far}, budget=budget).told(asked())
    with pytest.raises(UpstreamRefused):
        World({"edge": Scripted([refused(500)]), "far": far}, budget=budget).told(asked())
    assert len(far.asked) == 3


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (refused(503), 3), (refused(429, "0"), 3), (UpstreamUnreachable("gone"), 3), (refused(429, "60"), 1),
        (refused(503, "60"), 1), (UpstreamTimeout("slow"), 1), (refused(400), 1), (refused(401), 1),
    ],
    ids=str,
)  # fmt: skip
def test_the_last_candidate_is_asked_again_after_a_pause(error: Exception, calls: int) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    clock = [0.0]
    upstream = Scripted([error])
    circuits = Circuits(clock=lambda: clock[0])
    world = World({"edge": upstream}, ExecutionSettings(retries=2), circuits=circuits)
    patient = replace_fallback(world, sleep)
    request = asked()
    with pytest.raises(EdgewiseError):
        asyncio.run(patient.carry_out(decided(request, shortlist=("edge",)), EDGE, request, arrived=0.0))
    assert len(upstream.asked) == calls == len(world.outcome.attempts)
    assert len(waits) == calls - 1
    assert all(0.0 <= wait <= 0.5 for wait in waits)


def replace_fallback(world: World, sleep: Any) -> Executor:
    """The same executor with another clock to sleep by."""
    fallback = world.executor._fallback
    for name, value in (("sleep", sleep), ("dice", Random(7))):
        object.__setattr__(fallback, name, value)
    return world.executor


def test_an_open_circuit_costs_no_call_and_the_last_that_hangs_is_refused_at_once() -> None:
    circuits = Circuits(clock=lambda: 0.0)
    for _ in range(5):
        circuits.failed("edge", 0, UpstreamTimeout("slow"), 30.0)
    edge, budget = Scripted(["edge"]), RetryBudget(0.0, clock=lambda: 0.0)
    world = World({"edge": edge, "far": Scripted(["far"])}, circuits=circuits, budget=budget)
    answer, _ = world.told(asked())
    assert (answer.decision.chosen, answer.decision.reason) == ("far", "fallback")
    assert budget.tokens == budget.burst  # nothing was asked twice
    alone = World({"edge": edge}, circuits=circuits)
    with pytest.raises(CircuitOpen) as caught:
        alone.told(asked(), shortlist=("edge",))
    status, headers, body = failure(caught.value)
    assert (status, dict(headers)[b"retry-after"]) == (503, b"1")
    assert b'"code":"circuit_open"' in body
    assert (alone.outcome.status, alone.outcome.attempts, alone.outcome.cost_usd) == ("error", (), 0.0)
    assert not edge.asked


def test_where_nobody_was_asked_the_soonest_says_when_to_come_back() -> None:
    circuits = Circuits(clock=lambda: 0.0)
    for name, seconds in (("edge", "8"), ("near", "2"), ("far", "5")):
        circuits.of(name).dead = True
        circuits.failed(name, 0, refused(429, seconds), 30.0)
        circuits.of(name).dead, circuits.of(name).slow_s = True, 30.0
    world = World({}, circuits=circuits)
    with pytest.raises(CircuitOpen) as caught:
        world.told(asked())
    assert caught.value.retry_after_s == 2.0
    assert all(f"{name} was not asked" in str(caught.value) for name in ("edge", "near", "far"))
    assert world.outcome.attempts == ()


def test_a_call_that_was_cut_off_before_it_was_answered_has_no_status() -> None:
    async def main(words: int) -> int | None:
        world = World({"edge": Bad(words, hangs=True)})
        asking = asyncio.create_task(world.answer(asked(stream=True)))
        for _ in range(10):
            await asyncio.sleep(0)
        if words:
            pieces = (await asking).pieces
            assert pieces is not None
            await pieces.aclose()
        else:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        assert world.outcome.status == "cancelled"
        return world.outcome.attempts[0].http_status

    assert asyncio.run(main(0)) is None
    assert asyncio.run(main(2)) == 200


def test_a_storm_opens_the_circuit_and_the_upstream_is_left_alone() -> None:
    now = [0.0]
    circuits = Circuits(clock=lambda: now[0])
    edge, far = Scripted([refused(500)]), Scripted(["far"])
    for _ in range(100):
        world = World({"edge": edge, "far": far}, circuits=circuits)
        world.told(asked())
        assert world.outcome.status == "ok"
    assert len(edge.asked) == 5
    now[0] = 1.0
    World({"edge": Scripted(["well again"]), "far": far}, circuits=circuits).told(asked())
    World({"edge": Scripted(["well again"]), "far": far}, circuits=circuits).told(asked())
    assert circuits.is_closed("edge")


ways = st.sampled_from(["ok", "500", "400", "429", "gone", "hang", "cut early", "cut late", "bug", "json"])


def upstream_of(way: str) -> Upstream:
    match way:
        case "ok":
            return Scripted(["fine words"])
        case "hang":
            return Bad(0, hangs=True)
        case "cut early":
            return Bad(0, UpstreamError("cut"))
        case "cut late":
            return Bad(2, UpstreamError("cut"))
        case "bug":
            return Scripted([ZeroDivisionError("a bug")])
        case "json":
            return Nonsense()
        case "gone":
            return Scripted([UpstreamUnreachable("gone")])
        case _:
            return Scripted([refused(int(way))])


class Nonsense:
    async def ask(self, request: Request) -> bytes:
        del request
        return b"<html>"

    async def aclose(self) -> None: ...


@settings(max_examples=60, deadline=None)
@given(
    edge=ways, near=ways, far=ways, stream=st.booleans(), hedge=st.booleans(), leaves=st.booleans(),
    wish=st.sampled_from([None, True, False]),
)  # fmt: skip
def test_every_request_has_exactly_one_end(
    edge: str, near: str, far: str, stream: bool, hedge: bool, leaves: bool, wish: bool | None
) -> None:
    limits = ExecutionSettings(
        retries=0,
        first_token_s=0.02,
        idle_s=0.02,
        try_s=0.02,
        hedge=hedge,
        hedge_after_s=0.005 if hedge else None,
    )
    world = World({"edge": upstream_of(edge), "near": upstream_of(near), "far": upstream_of(far)}, limits)
    request = asked(stream=stream, edgewise={"fallback": wish})

    async def main() -> str:
        try:
            answer = await world.answer(request)
        except (EdgewiseError, ZeroDivisionError):
            return "error"
        if answer.pieces is None:
            return "ok"
        if leaves:
            await answer.pieces.aclose()
            return "cancelled"
        seen = b"".join([piece async for piece in answer.pieces])
        return "incomplete" if b"incomplete_stream" in seen else "ok"

    seen = asyncio.run(main())
    assert world.outcome.status == seen
    assert [type(record) for record in world.log.records] == [Decision, Outcome]
    attempts = world.outcome.attempts
    assert attempts
    assert sum(a.status not in {"error", "cancelled"} for a in attempts) == (seen in ("ok", "incomplete"))
    if seen != "error":
        assert attempts[-1].candidate == world.outcome.candidate


def test_a_whole_answer_where_a_stream_was_asked_for_becomes_one() -> None:
    class Whole(Scripted):
        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            return await super().ask(replace(request, stream=False))

    world = World({"edge": Whole(["all at once"])})
    _, seen = world.told(asked(stream=True))
    assert words_of(seen.encode()) == "all at once"
    assert seen.endswith("data: [DONE]\n\n")
    assert seen.count("[DONE]") == 1
    assert (world.outcome.status, world.outcome.cost_state, world.outcome.response) == (
        "ok",
        "billed",
        "all at once",
    )
