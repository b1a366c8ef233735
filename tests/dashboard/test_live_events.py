"""What changes reaches whoever looks, and costs nothing while nobody does."""

from __future__ import annotations

import asyncio
import json

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

        events = bell.follow(look, rest_s=0.0)
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


def test_without_listeners_a_record_does_nothing() -> None:
    bell = Bell()
    bell.observe(OUTCOME)
    assert bell.listeners == 0
