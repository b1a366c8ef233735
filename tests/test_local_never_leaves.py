"""No sequence of what can happen to a request sends it beyond the trust that it allows.

`WAYS_OUT` lists every path by which a request may reach an upstream, fallback, retries and hedges among
them. Whoever adds a path (a cascade, a judge that asks) adds it here; the property is then asked of it too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from edgewise.app import App
from edgewise.domain.decisions import Odds
from edgewise.domain.errors import EdgewiseError, UpstreamUnreachable
from edgewise.domain.privacy import permits, privacy_of
from edgewise.domain.requests import Action, Request, Situation
from edgewise.execution import Answer, Executor
from edgewise.gateway.callers import Caller
from edgewise.gateway.chat_body import parse_chat
from edgewise.policies.shadow import Shadowed
from edgewise.settings import CandidateSettings, ExecutionSettings, PrivacySettings, ScriptSettings, Settings
from edgewise.upstreams.guarded import Guarded
from edgewise.upstreams.limited import Limited
from edgewise.upstreams.redacting import Redacting
from edgewise.upstreams.scripted import Scripted

SECRET = "4111 1111 1111 1111"
PLACES = (
    ("here", "edge", "device", ""),
    ("rack", "edge", "site", "eu-de"),
    ("near", "cloud", "cloud", "eu"),
    ("far", "cloud", "cloud", "us"),
)
SCRIPT = ScriptSettings(replies=("yes",))
CANDIDATES = tuple(
    CandidateSettings(id=name, location=location, trust=trust, region=region, script=SCRIPT)  # type: ignore[arg-type]
    for name, location, trust, region in PLACES
)


@dataclass(frozen=True)
class World:
    """A whole Edgewise, and what each candidate's own upstream was sent."""

    app: App

    def behind(self, name: str) -> Scripted:
        """The upstream at the very end, past everything that is wrapped around it."""
        upstream = self.app.router.executor.upstreams[name]
        while isinstance(upstream, Redacting | Guarded | Limited):
            upstream = upstream.inner
        assert isinstance(upstream, Scripted)
        return upstream


async def consumed(answer: Answer) -> None:
    if answer.pieces is not None:
        async for _ in answer.pieces:
            pass


async def routed(world: World, request: Request) -> None:
    await consumed(await world.app.router.route(request))


async def decided_then_carried_out(world: World, request: Request) -> None:
    """What a caller does that decides first and asks later, with the request as it came."""
    decision = await world.app.router.decide(request)
    chosen = next(c for c in world.app.candidates if c.id == decision.chosen)
    await consumed(await world.app.router.executor.carry_out(decision, chosen, request, arrived=0.0))


async def without_constraints(world: World, request: Request) -> None:
    """A mistake in the rules: nobody objects to anything. Only the guard is left."""
    await consumed(await replace(world.app.router, constraints=()).route(request))


async def fallback(world: World, request: Request) -> None:
    """After a failure: every candidate in turn, screened once."""
    screened = await world.app.router._screened(request)
    for upstream in world.app.router.executor.upstreams.values():
        with suppress(EdgewiseError):
            await upstream.ask(screened)


async def hedge(world: World, request: Request) -> None:
    """All at once, and retried."""
    screened = await world.app.router._screened(request)
    asked = [upstream.ask(screened) for upstream in world.app.router.executor.upstreams.values()]
    await asyncio.gather(*asked, *(world.app.router.route(request) for _ in range(2)), return_exceptions=True)


async def broken(world: World, request: Request) -> None:
    """Nobody answers: whoever may take over is asked, and asked again."""
    for name in _DOMAIN:
        world.behind(name)._replies = [UpstreamUnreachable("gone")]
    with suppress(EdgewiseError):
        await consumed(await replace(world.app.router, executor=_eager(world)).route(request))


async def broken_and_misled(world: World, request: Request) -> None:
    """The same with a decision whose shortlist holds everybody, and whose rules said nothing."""
    for name in _DOMAIN:
        world.behind(name)._replies = [UpstreamUnreachable("gone")]
    screened = await world.app.router._screened(request)
    decision = await world.app.router.decide(request)
    misled = structs.replace(decision, shortlist=tuple(_DOMAIN), objections=())
    willing = structs.replace(screened, wishes=structs.replace(screened.wishes, fallback=True))
    chosen = next(c for c in world.app.candidates if c.id == decision.chosen)
    with suppress(EdgewiseError):
        await consumed(await _eager(world).carry_out(misled, chosen, willing, arrived=0.0))


async def hedged(world: World, request: Request) -> None:
    """Two at once, the second at once."""
    await consumed(await replace(world.app.router, executor=_eager(world, hedge=True)).route(request))


def _eager(world: World, *, hedge: bool = False) -> Executor:
    """The app's executor, which tries again without a pause."""
    limits = ExecutionSettings(hedge=hedge, hedge_after_s=0.0 if hedge else None)
    executor = replace(world.app.router.executor, limits=limits)
    object.__setattr__(executor._fallback, "sleep", partial(asyncio.sleep, 0))
    return executor


class Everywhere:
    """A policy that wants the farthest candidate that it is shown, and any other no less."""

    name = "everywhere"

    def odds(self, situation: Situation) -> Odds:
        return Odds.certain(situation.shortlist.candidates[-1], situation.shortlist)


async def wild_policy(world: World, request: Request) -> None:
    calm = structs.replace(request, wishes=structs.replace(request.wishes, model="auto"))
    policies = {"auto": Shadowed(Everywhere(), Everywhere())}
    await consumed(await replace(world.app.router, policies=policies).route(calm))


async def session_move(world: World, request: Request) -> None:
    """The same conversation again, on another candidate, without saying once more that it is local."""
    named = structs.replace(request, wishes=structs.replace(request.wishes, session="s"))
    with suppress(EdgewiseError):
        await routed(world, named)
    for name in ("far", "auto", "near"):
        again = parse_chat(b'{"messages":[{"role":"user","content":"and then?"}]}', {"session": "s"})
        with suppress(EdgewiseError):
            await routed(world, structs.replace(again, wishes=structs.replace(again.wishes, model=name)))


WAYS_OUT: Sequence[Callable[[World, Request], Awaitable[None]]] = (
    routed,
    decided_then_carried_out,
    without_constraints,
    fallback,
    hedge,
    broken,
    broken_and_misled,
    hedged,
    wild_policy,
    session_move,
)

privacies = st.sampled_from(
    [None, "local", "region:eu", "region:us", "region:eu,local", "region:eu,region:us"]
)
models = st.sampled_from(["auto", "auto:random", "here", "rack", "near", "far"])
narrowed = st.none() | st.lists(st.sampled_from(["here", "rack", "near", "far"]), min_size=1, unique=True)
contents = st.sampled_from(["hi", f"my card is {SECRET}", f'{{"card": "{SECRET}"}}'])
actions: st.SearchStrategy[Action] = st.sampled_from(["allow", "local", "redact", "block"])


_DOMAIN = {c.id: c for c in App(Settings(candidates=CANDIDATES)).candidates}


@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.__name__)
@settings(max_examples=15, deadline=None)
@given(
    action=actions, privacy=privacies, key=privacies, model=models, narrow=narrowed, content=contents,
    stream=st.booleans(),
)  # fmt: skip
def test_a_promise_is_kept_on_every_way(
    way: Callable[[World, Request], Awaitable[None]],
    action: Action,
    privacy: str | None,
    key: str | None,
    model: str,
    narrow: list[str] | None,
    content: str,
    stream: bool,
) -> None:
    async def main() -> None:
        configured = Settings(candidates=CANDIDATES, privacy=PrivacySettings(action=action))
        async with App(configured) as app:
            world = World(app)
            headers = {"privacy": privacy} if privacy else {}
            if narrow:
                headers["candidates"] = ",".join(narrow)
            caller = Caller(privacy=privacy_of(key))
            request = parse_chat(_body(content, model, stream=stream), headers, caller)
            with suppress(EdgewiseError):
                await way(world, request)
            _check(world, action, privacy_of(privacy, key), content, way)

    with TemporaryDirectory() as home, patch.dict("os.environ", {"EDGEWISE_HOME": str(Path(home))}):
        asyncio.run(main())


def _check(
    world: World, action: Action, privacy: str | None, content: str, way: Callable[..., Awaitable[None]]
) -> None:
    for name, place in _DOMAIN.items():
        for sent in world.behind(name).asked:
            # Declared: nothing of it may be there, redacted or not, later turns of its session included.
            assert permits(privacy, place), f"{way.__name__} sent a request of {privacy} to {name}"
            if place.trust == "device":
                continue
            held = action != "allow" and SECRET in content
            written = SECRET in sent.text or SECRET.encode() in sent.body
            assert not (held and written), f"{way.__name__} sent what rules found to {name}"
            # Held local by what was found: a session stays so. What was blocked is over with its request.
            assert not (held and action == "local"), f"{way.__name__} sent what is local to {name}"
            assert not (held and action == "block" and "card" in sent.text), f"{way.__name__} sent to {name}"


def _body(content: str, model: str, *, stream: bool) -> bytes:
    return json.dumps(
        {"model": model, "stream": stream, "messages": [{"role": "user", "content": content}]}
    ).encode()


def test_every_way_can_send_at_all() -> None:
    """A property about nothing being sent holds of what never sends: each way must send the harmless."""

    async def main() -> None:
        async with App(Settings(candidates=CANDIDATES)) as app:
            for way in WAYS_OUT:
                world = World(app)
                for name in _DOMAIN:
                    world.behind(name)._replies = ["yes"]
                before = sum(len(world.behind(name).asked) for name in _DOMAIN)
                await way(world, parse_chat(_body("hi", "far", stream=False), {}))
                assert sum(len(world.behind(name).asked) for name in _DOMAIN) > before, way.__name__

    with TemporaryDirectory() as home, patch.dict("os.environ", {"EDGEWISE_HOME": str(Path(home))}):
        asyncio.run(main())
