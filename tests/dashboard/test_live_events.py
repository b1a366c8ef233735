"""What changes reaches whoever looks, and costs nothing while nobody does."""

from __future__ import annotations

import asyncio
import json
import threading

from tests.outcomes.sample import OUTCOME

from edgewise.dashboard.html import Html, h
from edgewise.dashboard.live import Bell


def changes(event: bytes) -> dict[str, str]:
    found: dict[str, str] = json.loads(event.split(b"data: ", 1)[1])
    return found


def test_only_what_changed_is_sent_and_the_end_ends_it() -> None:
    async def listen() -> None:
        bell, looks = Bell(), [{"a": h.b("1"), "b": h.b("x")}, {"a": h.b("2"), "b": h.b("x")}]

        def look() -> dict[str, Html]:
            return looks[0] if len(looks) == 1 else looks.pop(0)

        events = bell.follow(look, rest_s=0.0, what=None)
        assert (await anext(events)).startswith(b"retry:")
        assert changes(await anext(events)) == {"a": "<b>1</b>", "b": "<b>x</b>"}
        assert bell.listeners == 1
        bell.observe(OUTCOME)
        assert changes(await anext(events)) == {"a": "<b>2</b>"}
        bell.observe(OUTCOME)
        assert await anext(events) == b":\n\n", "a look that found nothing new keeps the connection alive"
        bell.close()
        assert [event async for event in events] == []
        assert bell.listeners == 0

    asyncio.run(listen())


def test_whoever_looks_at_the_same_at_once_shares_one_look() -> None:
    looks: list[int] = []
    seen = threading.Event()

    def look() -> dict[str, Html]:
        seen.wait(60)
        looks.append(1)
        return {"a": h.b(str(len(looks)))}

    async def listen() -> None:
        bell = Bell()
        same = [bell.follow(look, rest_s=0.0, what="/now") for _ in range(20)]
        other = bell.follow(look, rest_s=0.0, what="/edge")
        for events in (*same, other):
            await anext(events)
        nexts = [asyncio.ensure_future(anext(events)) for events in (*same, other)]
        await asyncio.sleep(0)
        nexts.pop(0).cancel()  # the first goes away: the others still get what it asked for
        seen.set()
        found = await asyncio.gather(*nexts)
        assert [changes(one)["a"] for one in found] == ["<b>1</b>"] * 19 + ["<b>2</b>"]
        bell.close()

    asyncio.run(listen())


def test_without_listeners_a_record_does_nothing() -> None:
    bell = Bell()
    bell.observe(OUTCOME)
    assert bell.listeners == 0
