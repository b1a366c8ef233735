"""Ollama's own API, against a mock that speaks as its documentation says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers import Mock, mock_upstream

from edgewise.domain.errors import RequestError, UpstreamError, UpstreamRefused, UpstreamUnreachable
from edgewise.gateway.chat_body import chat_of, parse_chat
from edgewise.upstreams.ollama import Ollama
from edgewise.upstreams.ollama.answers import Envelope, streamed
from edgewise.upstreams.ollama.wire import chat_body
from edgewise.upstreams.reading import Meter, read_plain

WORDS = ("Par", "is é.")
LINES = [
    *({"model": "phi", "message": {"role": "assistant", "content": word}, "done": False} for word in WORDS),
    {
        "model": "phi",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "total_duration": 5,
        "load_duration": 1,
        "prompt_eval_count": 11,
        "eval_count": 3,
    },
]
STREAM = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in LINES)
WHOLE = json.dumps(
    {
        "model": "phi",
        "message": {"role": "assistant", "content": "Paris."},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 11,
        "eval_count": 3,
    }
).encode()


@pytest.fixture
def server() -> Iterator[Mock]:
    with mock_upstream() as mock:
        mock.plain = WHOLE
        mock.events = [STREAM[:50], STREAM[50:]]
        yield mock


def upstream(mock: Mock) -> Ollama:
    return Ollama("phi-edge", "phi", f"http://127.0.0.1:{mock.port}", timeout_s=5.0)


async def asked(mock: Mock, options: dict[str, Any]) -> bytes:
    ollama = upstream(mock)
    try:
        answer = await ollama.ask(chat_of("Capital of France?", options))
        return answer if isinstance(answer, bytes) else b"".join([piece async for piece in answer])
    finally:
        await ollama.aclose()


def test_a_plain_answer_is_openai_s(server: Mock) -> None:
    body = asyncio.run(asked(server, {"temperature": 0.2, "max_tokens": 9}))
    reading = read_plain(body)
    assert reading.text == "Paris."
    assert reading.usage is not None
    assert (reading.usage.prompt_tokens, reading.usage.completion_tokens) == (11, 3)
    call = server.calls[0]
    assert call.path == "/api/chat"
    assert call.json == {
        "model": "phi",
        "messages": [{"role": "user", "content": "Capital of France?"}],
        "stream": False,
        "options": {"temperature": 0.2, "num_predict": 9},
    }


def test_a_stream_is_openai_s(server: Mock) -> None:
    body = asyncio.run(asked(server, {"stream": True}))
    meter = Meter(wants_usage=True, keep_text=True)
    meter.feed(body)
    assert meter.finish().endswith(b"[DONE]\n\n")
    assert meter.text() == "Paris é."
    assert meter.usage is not None
    assert meter.usage.completion_tokens == 3


async def _cut(data: bytes, cuts: list[int]) -> AsyncGenerator[bytes, None]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        yield data[start:end]


async def _joined(data: bytes, cuts: list[int]) -> bytes:
    envelope = Envelope("req", "phi")
    return b"".join([piece async for piece in streamed("phi", _cut(data, cuts), envelope)])


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_where_the_network_cuts_does_not_matter(cuts: list[int]) -> None:
    def words(events: bytes) -> list[Any]:
        found = [json.loads(event[6:]) for event in events.split(b"\n\n") if event and b"[DONE]" not in event]
        return [(event["choices"], event.get("usage")) for event in found]

    assert words(asyncio.run(_joined(STREAM, cuts))) == words(asyncio.run(_joined(STREAM, [])))


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (STREAM[: STREAM.rindex(b'{"model')], UpstreamUnreachable, "before it was done"),
        (b'{"error": "model runner\\nstopped"}\n', UpstreamError, "model runner stopped"),
        (b"<html>\n", UpstreamError, "not Ollama's JSON"),
    ],
)
def test_a_stream_that_breaks_says_so(data: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        asyncio.run(_joined(data, []))


def test_a_refusal_tells_why(server: Mock) -> None:
    server.status, server.plain = 404, b'{"error": "model \'phi\' not found"}'
    with pytest.raises(UpstreamRefused, match="model 'phi' not found") as refused:
        asyncio.run(asked(server, {}))
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"models": [{"name": "phi:latest", "model": "phi:latest"}]}', True),
        (200, b'{"models": []}', False),
        (404, b"nothing here", None),
        (200, b"no json", None),
    ],
)
def test_what_is_loaded(server: Mock, status: int, body: bytes, expected: bool | None) -> None:
    server.status, server.plain = status, body

    async def look() -> bool | None:
        ollama = upstream(server)
        try:
            return await ollama.loaded()
        finally:
            await ollama.aclose()

    assert asyncio.run(look()) is expected
    assert server.calls[0].path == "/api/ps"


def test_an_ollama_that_is_not_there_is_no_error_of_loaded() -> None:
    assert asyncio.run(Ollama("phi", "phi", "http://127.0.0.1:9").loaded()) is None


def said(messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    body = json.dumps({"model": "auto", "messages": messages, **more}).encode()
    decoded: dict[str, Any] = json.loads(chat_body(parse_chat(body, {}).body, "phi", stream=False))
    return decoded


def test_tools_their_calls_and_their_results() -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    found = said(
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "4 degrees"},
        ],
        tools=[tool],
    )
    assert found["tools"] == [tool]
    called = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    assert found["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [called]},
        {"role": "tool", "content": "4 degrees", "tool_name": "weather"},
    ]


def test_a_tool_call_comes_back_as_openai_s() -> None:
    called = [{"function": {"name": "f", "arguments": {"a": 1}}}]
    line = {"message": {"role": "assistant", "content": "", "tool_calls": called}, "done": True}
    events = asyncio.run(_joined(json.dumps(line).encode(), []))
    first = next(json.loads(e[6:]) for e in events.split(b"\n\n") if b'"tool_calls":[' in e)
    call = first["choices"][0]["delta"]["tool_calls"][0]
    assert (call["index"], call["function"]) == (0, {"name": "f", "arguments": '{"a":1}'})
    assert b'"finish_reason":"tool_calls"' in events


def test_images_and_formats() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
    ]
    schema = {"type": "object", "properties": {"a": {"type": "number"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    found = said([{"role": "user", "content": parts}], response_format=wanted)
    assert found["messages"] == [{"role": "user", "content": "What is this?", "images": ["QUJD"]}]
    assert found["format"] == schema
    assert (
        said([{"role": "user", "content": "hi"}], response_format={"type": "json_object"})["format"] == "json"
    )
    far = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    with pytest.raises(RequestError, match="data URLs"):
        said([{"role": "user", "content": far}])
