from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks.machine import lacks
from benchmarks.servers import compile_mock, mock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    bool(lacks(frozenset({"cc", "cores"}))), reason="needs a C compiler and 2 cores"
)


@pytest.fixture
def upstream(tmp_path: Path) -> Generator[HTTPConnection]:
    with mock(compile_mock(tmp_path), chunks=3, pace_ms=1) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        yield connection
        connection.close()


def post(upstream: HTTPConnection, body: str) -> HTTPResponse:
    upstream.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    return upstream.getresponse()


def stats(upstream: HTTPConnection) -> dict[str, Any]:
    upstream.request("GET", "/stats")
    told: dict[str, Any] = json.loads(upstream.getresponse().read())
    return told


def test_a_plain_answer_has_usage_and_about_a_kilobyte(upstream: HTTPConnection) -> None:
    for _ in range(3):  # over one connection
        answer = post(upstream, '{"model":"auto"}').read()
        assert 900 < len(answer) < 1100
        assert json.loads(answer)["usage"]["total_tokens"] == 340
    assert stats(upstream)["answered"] == 3


@pytest.mark.parametrize("body", ['{"stream":true}', '{"model":"auto", "stream": true}'])
def test_a_stream_has_its_chunks_then_usage_then_done(upstream: HTTPConnection, body: str) -> None:
    events = post(upstream, body).read().decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    contents = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert contents == [" token"] * 3 + [None]
    assert chunks[-1]["usage"]["total_tokens"] == 300
    assert stats(upstream)["streamed"] == 1


def test_a_body_that_comes_in_two_pieces_is_waited_for(upstream: HTTPConnection) -> None:
    upstream.putrequest("POST", "/v1/chat/completions")
    upstream.putheader("content-LENGTH", "17")
    upstream.endheaders()
    upstream.send(b'{"model"')
    upstream.send(b':"auto"}}')
    assert upstream.getresponse().status == 200
