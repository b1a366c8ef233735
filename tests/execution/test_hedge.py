"""Two at once: the first answer counts, the other call is cut off and paid for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.execution.fakes import EDGE, FAR, NEAR, World, asked, decided, refused

from edgewise.domain.decisions import Estimate, Forecast
from edgewise.domain.errors import UpstreamRefused
from edgewise.domain.requests import Request
from edgewise.execution import Circuits, RetryBudget
from edgewise.execution.plan import others
from edgewise.settings import ExecutionSettings
from edgewise.upstreams.reading import words_of
from edgewise.upstreams.scripted import Scripted

HEDGE = ExecutionSettings(retries=0, hedge=True, hedge_after_s=0.01)


class Gated:
    """Answers once it is let through; counts how often it was cut off."""

    def __init__(self, reply: str) -> None:
        self.inner, self.gate, self.began = Scripted([reply]), asyncio.Event(), asyncio.Event()
        self.cut = 0

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        self.began.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cut += 1
            raise
        return await self.inner.ask(request)

    async def aclose(self) -> None: ...


def seen_of(world: World, stream: bool, **changes: Any) -> tuple[str, str]:
    """The words, and the reason that the client is told."""

    async def main() -> tuple[str, str]:
        answer = await world.answer(asked(stream=stream), **changes)
        if answer.pieces is None:
            return (answer.body or b"").decode(), answer.decision.reason
        whole = b"".join([piece async for piece in answer.pieces])
        return words_of(whole), answer.decision.reason

    return asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_answers_where_the_first_is_slow(stream: bool) -> None:
    edge = Gated("from the edge")
    world = World({"edge": edge, "far": Scripted(["from far"])}, HEDGE)
    seen, reason = seen_of(world, stream)
    assert "from far" in seen
    assert reason == "hedge"
    assert edge.cut == 1
    outcome = world.outcome
    assert (outcome.status, outcome.candidate) == ("ok", "far")
    assert [(a.candidate, a.status) for a in outcome.attempts] == [("edge", "cancelled"), ("far", "ok")]


def test_what_was_cut_off_is_booked() -> None:
    far = Gated("from far")

    class Edge(Scripted):
        """Answers only once the other one has been asked."""

        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            await far.began.wait()
            return await super().ask(request)

    world = World({"edge": Edge(["from the edge"]), "far": far}, HEDGE)
    seen, reason = seen_of(world, stream=False)
    assert "from the edge" in seen
    assert reason == "best_utility"
    cut, _ = world.outcome.attempts
    assert (cut.candidate, cut.status, cut.cost_state, far.cut) == ("far", "cancelled", "estimated", 1)
    assert cut.cost_usd is not None
    assert world.outcome.cost_usd == cut.cost_usd > 0.0  # the edge itself is free
    assert world.outcome.cost_state == "estimated"


def test_a_quick_answer_asks_nobody_else() -> None:
    far = Scripted(["far"])
    world = World({"edge": Scripted(["edge"]), "far": far}, replace(HEDGE, hedge_after_s=30.0))
    assert seen_of(world, stream=False)[1] == "best_utility"
    assert not far.asked


def test_the_wait_is_the_forecasts_upper_end_and_without_one_there_is_no_hedge() -> None:
    learned = replace(HEDGE, hedge_after_s=None)
    forecasts = {"edge": Forecast(latency_s=Estimate(0.0, 0.0, 0.01))}
    world = World({"edge": Gated("never"), "far": Scripted(["far"])}, learned)
    assert seen_of(world, stream=False, forecasts=forecasts)[1] == "hedge"
    edge = Gated("edge")
    edge.gate.set()
    world = World({"edge": edge, "far": (far := Scripted(["far"]))}, learned)
    assert seen_of(world, stream=False)[1] == "best_utility"
    assert not far.asked


@pytest.mark.parametrize("why", ["budget", "circuit", "same side"])
def test_nobody_is_asked_beside_who_may_not_be(why: str) -> None:
    budget = RetryBudget(0.0, burst=0.0 if why == "budget" else 9.0, clock=lambda: 0.0)
    circuits = Circuits(clock=lambda: 0.0)
    if why == "circuit":
        for name in ("far", "near"):
            circuits.failed(name, 0, refused(429, "9"), 0.0)
    shortlist = ("edge",) if why == "same side" else ("edge", "near", "far")

    class Late(Scripted):
        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            await asyncio.sleep(0.05)  # longer than the hedge waits
            return await super().ask(request)

    far = Scripted(["far"])
    world = World(
        {"edge": Late(["edge"]), "near": far, "far": far}, HEDGE, circuits=circuits, budget=budget
    )  # fmt: skip
    assert seen_of(world, stream=False, shortlist=shortlist)[1] == "best_utility"
    assert not far.asked


def test_a_failure_counts_only_where_both_have_failed() -> None:
    edge, failed = Gated("from the edge"), asyncio.Event()

    class Far(Scripted):
        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            failed.set()
            return await super().ask(request)

    world = World({"edge": edge, "far": Far([refused(500)]), "near": Scripted(["from near"])}, HEDGE)

    async def main() -> None:
        running = asyncio.create_task(world.answer(asked()))
        await failed.wait()
        edge.gate.set()
        assert b"from the edge" in ((await running).body or b"")

    asyncio.run(main())
    assert [(a.candidate, a.status) for a in world.outcome.attempts] == [("far", "error"), ("edge", "ok")]


def test_where_both_fail_the_next_one_answers() -> None:
    class Slow(Scripted):
        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            await asyncio.sleep(0.03)
            return await super().ask(request)

    world = World(
        {"edge": Slow([refused(503)]), "far": Scripted([refused(500)]), "near": Scripted(["from near"])},
        HEDGE,
    )
    seen, reason = seen_of(world, stream=False)
    assert "from near" in seen
    assert reason == "fallback"
    assert [a.candidate for a in world.outcome.attempts] == ["far", "edge", "near"]


def test_a_client_that_hangs_up_cuts_off_both() -> None:
    edge, far = Gated("edge"), Gated("far")
    world = World({"edge": edge, "far": far}, HEDGE)

    async def main() -> None:
        running = asyncio.create_task(world.answer(asked()))
        await far.began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert (edge.cut, far.cut) == (1, 1)
    assert world.outcome.status == "cancelled"
    assert {a.status for a in world.outcome.attempts} == {"cancelled"}


def test_a_pinned_or_private_request_is_not_hedged() -> None:
    field = {c.id: c for c in (EDGE, NEAR, FAR)}
    for request in (asked(model="edge"), asked(wishes={"privacy": "local"})):
        assert not others(decided(request), EDGE, request, field)
    with pytest.raises(UpstreamRefused):
        World({"edge": Scripted([refused(500)])}, HEDGE).told(asked(model="edge"))
