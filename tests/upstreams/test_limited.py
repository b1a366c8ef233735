"""An upstream with a line before it: a stream's place comes back however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from edgewise.domain.errors import Overloaded, UpstreamRefused
from edgewise.domain.requests import Request
from edgewise.gateway.chat_body import chat_of
from edgewise.upstreams.limited import Limited
from edgewise.upstreams.line import Bounds, Line
from edgewise.upstreams.scripted import Scripted


def limited(*replies: str | Exception, slots: int = 1) -> Limited:
    bounds = Bounds(slots, slots, adaptive=True, waiting=0.0)
    return Limited(Scripted(replies or ("one two three",)), Line("phi", bounds))


STREAM: Request = chat_of("hi", {"stream": True})


async def begun(upstream: Limited) -> AsyncGenerator[bytes, None]:
    pieces = await upstream.ask(STREAM)
    assert not isinstance(pieces, bytes)
    return pieces


def test_a_stream_holds_its_place_until_its_end() -> None:
    async def scene() -> None:
        upstream = limited()
        pieces = await begun(upstream)
        with pytest.raises(Overloaded):
            await upstream.ask(STREAM)
        assert len([piece async for piece in pieces]) == 7
        assert upstream.line.in_flight == 0
        await pieces.aclose()
        assert upstream.line.in_flight == 0

    asyncio.run(scene())


def test_a_stream_that_nobody_reads_gives_its_place_back() -> None:
    async def scene() -> None:
        upstream = limited()
        for read in (0, 1):
            pieces = await begun(upstream)
            for _ in range(read):
                await anext(pieces)
            await pieces.aclose()
            assert upstream.line.in_flight == 0
        pieces = await begun(upstream)
        await anext(pieces)
        with pytest.raises(asyncio.CancelledError):
            await pieces.athrow(asyncio.CancelledError("the end"))
        assert upstream.line.in_flight == 0

    asyncio.run(scene())


def test_a_failure_gives_its_place_back_and_a_refusal_teaches() -> None:
    async def scene() -> None:
        upstream = limited(UpstreamRefused("busy", status=429, body=b"{}"), slots=10)
        with pytest.raises(UpstreamRefused):
            await upstream.ask(chat_of("hi"))
        assert (upstream.line.in_flight, upstream.line.limit) == (0, 1)
        assert isinstance(await limited().ask(chat_of("hi")), bytes)

    asyncio.run(scene())
