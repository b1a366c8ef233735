"""A shadow that is asked: never for whom it must not be, never at a client's cost, always on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace as replaced
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies

from edgewise.constraints import Capability, Pin, Privacy
from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import RequestError, UpstreamError, UpstreamRefused
from edgewise.domain.ids import is_minted, mint, shadow_id
from edgewise.domain.protocols import Policy, Upstream
from edgewise.domain.requests import Request, Wishes
from edgewise.domain.stories import Story
from edgewise.execution import Executor, Shadows
from edgewise.features import TextFeatures
from edgewise.gateway.chat_body import chat_of
from edgewise.outcomes import MemoryLog
from edgewise.policies import Explore, Fixed, Uniform
from edgewise.policies.shadow import Shadowed
from edgewise.router import Router
from edgewise.upstreams.scripted import Scripted

FIELD = (
    Candidate("here", "edge", "device", price=Price(0.0, 0.0)),
    Candidate("site", "edge", "site", price=Price(0.0, 0.0)),
    Candidate("there", "cloud", "cloud", price=Price(1.0, 10.0)),
)
ASKS = Shadowed(Fixed("here"), Fixed("there"), 1.0, ask=True)


class Gateway:
    """A router over scripted candidates, and what came of it."""

    def __init__(
        self, policy: Policy = ASKS, upstreams: dict[str, Upstream] | None = None, **bounds: int
    ) -> None:
        self.log = MemoryLog()
        self.fakes = {c.id: Scripted([f"from {c.id}"]) for c in FIELD}
        executor = Executor({**self.fakes, **(upstreams or {})}, self.log)
        self.shadows = Shadows(executor, **bounds)
        self.router = Router(
            candidates=FIELD,
            featurizer=TextFeatures(),
            constraints=(Privacy(), Pin(), Capability()),
            policies={"auto": policy},
            executor=executor,
            keep=lambda prompt: (prompt, None),
            shadows=self.shadows,
        )

    async def asked(self, request: Request) -> bytes:
        """What the client gets, once the shadows are through, too."""
        answer = await self.router.route(request)
        body = answer.body
        if answer.pieces is not None:
            body = b"".join([piece async for piece in answer.pieces])
        await self.shadows.drain()
        return body or b""

    def beside(self) -> list[Story]:
        return [story for story in self.log.stories() if story.decision.shadow_of is not None]


def request(**wishes: Any) -> Request:
    return chat_of("what is the capital of France?", {}, wishes)


@pytest.mark.parametrize("stream", [False, True])
def test_what_it_would_have_chosen_answers_too_and_is_on_record(stream: bool) -> None:
    gateway = Gateway()
    asked = chat_of("hello there", {"stream": stream})
    assert b"here" in asyncio.run(gateway.asked(asked))
    client, shadow = gateway.log.stories()
    assert client.decision.shadow is not None
    assert (client.decision.chosen, client.decision.shadow.chosen) == ("here", "there")
    assert client.shadow == shadow
    assert (shadow.decision.reason, shadow.decision.shadow_of) == ("shadow", client.decision.id)
    assert (shadow.decision.id, shadow.decision.policy) == (shadow_id(asked.id), "fixed(there)")
    assert shadow.outcome is not None
    assert (shadow.outcome.status, shadow.outcome.response) == ("ok", "from there")
    assert shadow.outcome.cost_usd is not None
    assert shadow.outcome.cost_usd > 0.0
    assert [a.candidate for a in shadow.attempts] == ["there"]


wishing = st.builds(
    Wishes,
    model=st.sampled_from(["auto", "auto", "auto:auto", "here", "there"]),
    privacy=st.sampled_from([None, "local"]),
    session=st.none() | strategies.ids,
    candidates=st.none() | st.just(("here", "there")),
)
inner = st.sampled_from([Fixed("here"), Fixed("site"), Fixed("there"), Uniform()])
policies = st.builds(Shadowed, inner, inner, strategies.shares, strategies.ids, st.just(value=True))


@given(wishing, st.one_of(policies, st.builds(Explore, policies, strategies.shares)), st.booleans())
def test_no_private_and_no_pinned_request_is_ever_asked_twice(
    wishes: Wishes, policy: Policy, stream: bool
) -> None:
    gateway = Gateway(policy)
    asked = replace(chat_of("hello", {"stream": stream}), wishes=wishes)
    try:
        asyncio.run(gateway.asked(asked))
    except RequestError:
        assert gateway.fakes["there"].asked == gateway.fakes["here"].asked == []
        return
    if wishes.privacy is not None or asked.pin is not None:
        assert gateway.beside() == []
        assert sum(len(fake.asked) for fake in gateway.fakes.values()) == 1
    if wishes.privacy is not None:
        assert gateway.fakes["site"].asked == gateway.fakes["there"].asked == []
    (client,) = (s.decision for s in gateway.log.stories() if s.decision.shadow_of is None)
    expected = client.shadow is not None and client.shadow.ask
    assert len(gateway.beside()) == expected  # what the record says of it is what happened
    if client.shadow is not None and wishes == Wishes():
        assert expected == (client.shadow.chosen != client.chosen)


def test_a_private_request_is_not_asked_even_where_the_router_was_wrong() -> None:
    async def main() -> None:
        gateway = Gateway()
        private = request(privacy="local")
        decision = await gateway.router.decide(private)
        assert decision.shadow is not None
        wrong = replace(decision, shadow=replace(decision.shadow, chosen="there", ask=True))
        executor = gateway.router.executor
        answering = executor.carry_out(wrong, FIELD[0], private, arrived=0.0)
        await gateway.shadows.after(answering, wrong, FIELD[2], private)
        await gateway.shadows.drain()
        assert gateway.fakes["there"].asked == []

    asyncio.run(main())


def test_a_client_gets_its_answer_before_the_shadow_is_asked() -> None:
    async def main() -> None:
        gateway = Gateway()
        answer = await gateway.router.route(chat_of("hello", {"stream": True}))
        assert answer.pieces is not None
        async for _ in answer.pieces:
            await asyncio.sleep(0)
            assert gateway.fakes["there"].asked == []
        await gateway.shadows.drain()
        assert len(gateway.fakes["there"].asked) == 1

    asyncio.run(main())


class Stuck:
    """A candidate that answers when it is let to."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.began = asyncio.Event()

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        self.began.set()
        await self.free.wait()
        return await Scripted(["late"]).ask(request)

    async def aclose(self) -> None: ...


def test_a_client_that_hangs_up_takes_no_shadow_along() -> None:
    async def main() -> None:
        stuck = Stuck()
        gateway = Gateway(upstreams={"here": stuck})
        client = asyncio.create_task(gateway.router.route(request()))
        await stuck.began.wait()
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client
        await gateway.shadows.drain()
        ends = {s.decision.chosen: s.outcome.status for s in gateway.log.stories() if s.outcome}
        assert ends == {"here": "cancelled", "there": "ok"}

    asyncio.run(main())


def test_a_shadow_that_fails_or_breaks_costs_the_client_nothing(caplog: pytest.LogCaptureFixture) -> None:
    refused = UpstreamRefused("there answered with HTTP 500.", status=500, body=b"")
    for failure in (refused, ZeroDivisionError("a bug")):
        gateway = Gateway(upstreams={"there": Scripted([failure])})
        assert b"from here" in asyncio.run(gateway.asked(request()))
        assert b"from here" in asyncio.run(gateway.asked(request()))
        ended = [s.outcome.status for s in gateway.beside() if s.outcome]
        assert ended == ["error"] * 2
    assert "did not foresee" in caplog.text


def test_a_candidate_that_fails_the_client_leaves_the_shadow_to_tell() -> None:
    refused = UpstreamRefused("here answered with HTTP 500.", status=500, body=b"")
    gateway = Gateway(upstreams={"here": Scripted([refused])})

    async def main() -> None:
        with pytest.raises(UpstreamError):
            await gateway.router.route(request())
        await gateway.shadows.drain()

    asyncio.run(main())
    assert [s.outcome.status for s in gateway.beside() if s.outcome] == ["ok"]


def test_under_load_shadows_are_dropped_and_counted() -> None:
    async def main() -> None:
        stuck = Stuck()
        gateway = Gateway(upstreams={"there": stuck}, at_once=2, most_waiting=3)
        for _ in range(9):
            await gateway.router.route(request())
        assert gateway.shadows.dropped == 4
        stuck.free.set()
        await gateway.shadows.drain()
        assert gateway.shadows.asked == len(gateway.beside()) == 5

    asyncio.run(main())


@given(st.lists(st.integers(0, 12), min_size=3, max_size=12))
def test_none_that_waits_is_forgotten_whenever_it_comes(turns: list[int]) -> None:
    """Each number is how often the loop turns before the next request: the last call may just be ending."""

    async def main() -> None:
        gateway = Gateway(at_once=1, most_waiting=100)
        for count in turns:
            await gateway.router.route(request())
            for _ in range(count):
                await asyncio.sleep(0)
        await gateway.shadows.drain()
        assert gateway.shadows.asked == len(gateway.beside()) == len(turns)

    asyncio.run(main())


def test_bodies_that_wait_take_up_no_more_than_they_may() -> None:
    async def main() -> None:
        stuck = Stuck()
        size = len(request().body)
        gateway = Gateway(upstreams={"there": stuck}, at_once=1, most_waiting=9, most_bytes=2 * size)
        for _ in range(5):
            await gateway.router.route(request())
        assert gateway.shadows.dropped == 2
        stuck.free.set()
        await gateway.shadows.drain()
        for _ in range(3):  # what was worked off has made room
            await gateway.router.route(request())
        assert gateway.shadows.dropped == 2
        await gateway.shadows.drain()

    asyncio.run(main())


def test_the_end_waits_for_no_shadow_and_leaves_none_without_an_outcome() -> None:
    async def main() -> None:
        stuck = Stuck()
        gateway = Gateway(upstreams={"there": stuck}, at_once=1)
        await gateway.router.route(request())
        await gateway.router.route(request())
        await stuck.began.wait()
        await gateway.shadows.aclose()
        (told,) = gateway.beside()
        assert told.outcome is not None
        assert (told.outcome.status, told.outcome.error) == ("cancelled", "Edgewise was ended.")
        assert gateway.shadows.dropped == 1
        await gateway.router.route(request())
        assert gateway.shadows.dropped == 2

    asyncio.run(main())


def test_without_shadows_nobody_is_asked_twice() -> None:
    gateway = Gateway()
    plain = replaced(gateway.router, shadows=None)
    asyncio.run(plain.route(request()))
    assert [type(r) for r in gateway.log.records] == [Decision, Outcome]


def test_a_shadows_id_is_always_the_same_and_sorts_with_its_decision() -> None:
    ids = [mint() for _ in range(500)]
    shadows = [shadow_id(one) for one in ids]
    assert shadows == [shadow_id(one) for one in ids]
    assert all(is_minted(one) for one in shadows)
    assert len({*ids, *shadows}) == 1000
    assert all(a[:16] == b[:16] for a, b in zip(ids, shadows, strict=True))
