"""Byte for byte: what an upstream sent, and what the client must see of it."""

from __future__ import annotations

import urllib.request

import pytest
from tests.servers import GOLDEN, Mock, Running


def stream(running: Running, more: str = "") -> bytes:
    body = b'{"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]' + more.encode() + b"}"
    request = urllib.request.Request(running.url + "/v1/chat/completions", body)
    with urllib.request.urlopen(request, timeout=30) as response:
        whole: bytes = response.read()
        return whole


@pytest.mark.parametrize(
    ("sent", "more", "seen"),
    [
        ("openai_stream.sse", "", "openai_stream_without_usage.sse"),
        ("openai_stream.sse", ',"stream_options":{"include_usage":true}', "openai_stream.sse"),
        ("openai_stream.sse", ',"stream_options":{"include_usage":false}', "openai_stream_without_usage.sse"),
        ("usage_on_last_choice.sse", "", "usage_on_last_choice_without.sse"),
        ("usage_on_last_choice.sse", ',"stream_options":{"include_usage":true}', "usage_on_last_choice.sse"),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 7, 100])
def test_transcripts(running: Running, shared_mock: Mock, sent: str, more: str, seen: str, size: int) -> None:
    whole = (GOLDEN / sent).read_bytes()
    shared_mock.events = [whole[i : i + size] for i in range(0, len(whole), size)] if size else [whole]
    assert stream(running, more) == (GOLDEN / seen).read_bytes()
    assert shared_mock.calls[-1].json["stream_options"] == {"include_usage": True}
