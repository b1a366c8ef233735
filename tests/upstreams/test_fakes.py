"""The fakes keep the shape of the real thing."""

from __future__ import annotations

import asyncio
import json

import pytest

from edgewise.domain.errors import UpstreamTimeout, UpstreamUnreachable
from edgewise.domain.protocols import Upstream
from edgewise.gateway.chat_body import chat_of
from edgewise.upstreams.reading import read_plain, words_of
from edgewise.upstreams.scripted import Scripted
from edgewise.upstreams.simulated import SPOILED, SimulatedNetwork


async def whole(upstream: Upstream, *, stream: bool = False) -> bytes:
    answer = await upstream.ask(chat_of("hello there", {"stream": stream}))
    return answer if isinstance(answer, bytes) else b"".join([piece async for piece in answer])


def test_scripted_replies_in_turn() -> None:
    upstream = Scripted(["one", "two words"])
    answers = [read_plain(asyncio.run(whole(upstream))) for _ in range(3)]
    assert [a.text for a in answers] == ["one", "two words", "one"]
    assert answers[1].usage is not None
    assert answers[1].usage.completion_tokens == 2
    assert [r.prompt for r in upstream.asked] == ["hello there"] * 3


def test_scripted_streams_end_with_usage_and_done() -> None:
    stream = asyncio.run(whole(Scripted(lambda request: request.prompt.upper()), stream=True))
    assert words_of(stream) == "HELLO THERE"
    events = stream.split(b"\n\n")
    assert events[-2] == b"data: [DONE]"
    assert json.loads(events[-3].removeprefix(b"data: "))["usage"]["completion_tokens"] == 2


def test_scripted_failures_are_raised() -> None:
    with pytest.raises(UpstreamTimeout):
        asyncio.run(whole(Scripted([UpstreamTimeout("asleep")])))


def fates(seed: int, *, loss: float = 0.3, quality: float = 0.5) -> list[str]:
    network = SimulatedNetwork(Scripted(["fine"]), loss=loss, quality=quality, seed=seed)

    async def fate() -> str:
        try:
            return read_plain(await whole(network)).text
        except UpstreamUnreachable:
            return "lost"

    return [asyncio.run(fate()) for _ in range(200)]


def test_the_network_is_seeded() -> None:
    assert fates(1) == fates(1)
    assert fates(1) != fates(2)


def test_loss_and_quality_have_their_shares() -> None:
    seen = fates(3)
    assert 35 <= seen.count("lost") <= 85
    assert 40 <= seen.count(SPOILED) <= 100
    assert seen.count("fine") == 200 - seen.count("lost") - seen.count(SPOILED)
    assert set(fates(3, loss=0.0, quality=1.0)) == {"fine"}


def test_a_spoiled_stream_is_still_a_stream() -> None:
    network = SimulatedNetwork(Scripted(["fine"]), quality=0.0)
    assert words_of(asyncio.run(whole(network, stream=True))) == SPOILED
