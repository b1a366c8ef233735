"""Whatever comes in gets a clear 4xx, and the gateway lives on."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from tests.servers import Running

CHAT = "/v1/chat/completions"
GOOD: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}


def said(content: bytes) -> bytes:
    return b'{"model":"auto","messages":[{"role":"user","content":"' + content + b'"}]}'


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not valid JSON"),
    "not JSON": (b"hello", "not valid JSON"),
    "cut": (b'{"model":"auto","messages":[{"role":"us', "not valid JSON"),
    "trailing": (json.dumps(GOOD).encode() + b"}", "not valid JSON"),
    "an array": (b"[]", "Expected `object`"),
    "no messages": (b'{"model":"auto"}', "messages"),
    "empty messages": (b'{"model":"auto","messages":[]}', "`messages` is empty"),
    "blank": (said(b"  \\n "), "no text"),
    "messages of the wrong type": (b'{"messages":"hi"}', "at messages"),
    "content of the wrong type": (b'{"messages":[{"role":"user","content":5}]}', "messages[0].content"),
    "no role": (b'{"messages":[{"content":"hi"}]}', "role"),
    "model of the wrong type": (b'{"model":5,"messages":[{"role":"user","content":"hi"}]}', "at model"),
    "stream of the wrong type": (
        b'{"stream":"yes","messages":[{"role":"user","content":"hi"}]}',
        "at stream",
    ),
    "negative tokens": (b'{"max_tokens":-5,"messages":[{"role":"user","content":"hi"}]}', "max_tokens"),
    "a raw NUL": (said(b"a\x00b"), "not valid JSON"),
    "an escaped NUL": (said(b"a\\u0000b"), "NUL"),
    "invalid UTF-8": (said(b"a\xff\xfeb"), "not UTF-8"),
    "half a surrogate pair": (said(b"a\\ud800b"), "surrogate"),
    "deep nesting": (b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "Expected `object`"),
    "deep nesting elsewhere": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "a wish of no kind": (b'{"messages":[{"role":"user","content":"hi"}],"edgewise":{"pri":1}}', "pri"),
    "a privacy of no kind": (
        b'{"messages":[{"role":"user","content":"hi"}],"edgewise":{"privacy":"maybe"}}',
        "'local'",
    ),
    "a candidate of no kind": (
        b'{"messages":[{"role":"user","content":"hi"}],"edgewise":{"candidates":["nobody"]}}',
        "nobody",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies(running: Running, name: str) -> None:
    body, expected = BAD[name]
    status, answer = running.post(CHAT, body)
    assert 400 <= status < 500
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert expected in answer["error"]["message"]
    assert running.post(CHAT, GOOD)[0] == 200


def test_a_body_of_50_mb(running: Running) -> None:
    status, answer = running.post(CHAT, said(b"a" * 50_000_000))
    assert status == 413
    assert "max_body_bytes" in answer["error"]["message"]
    assert running.post(CHAT, GOOD)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", CHAT, 405), ("GET", "/nothing", 404), ("POST", "/v1/models", 405),
     ("GET", "/v1/decisions/none", 404),
     ("GET", "/v1/decisions?limit=0", 400), ("GET", "/v1/decisions/..%2f..%2fetc%2fpasswd", 404)],
)  # fmt: skip
def test_wrong_paths_and_methods(running: Running, method: str, path: str, status: int) -> None:
    code, answer = running.send(method, path)
    assert code == status
    assert answer["error"]["message"]


def test_unknown_header_of_ours(running: Running) -> None:
    status, answer = running.post(CHAT, GOOD, {"x-edgewise-privcy": "local"})
    assert status == 400
    assert "x-edgewise-privacy" in answer["error"]["message"]


@pytest.mark.parametrize(
    "raw",
    [b"GARBAGE\r\n\r\n", b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"x-long: " + b"a" * 100_000 + b"\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"x-a: b\r\n" * 20_000 + b"\r\n"],
)  # fmt: skip
def test_broken_http(running: Running, raw: bytes) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(raw)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431")
    assert running.post(CHAT, GOOD)[0] == 200


def test_nobody_left(running: Running) -> None:
    status, answer = running.post(CHAT, {**GOOD, "model": "tiny", "edgewise": {"candidates": ["giant"]}})
    assert status == 400
    assert answer["error"]["code"] == "no_eligible_candidate"
    assert "tiny" in answer["error"]["message"]
    assert "giant" in answer["error"]["message"]


def test_feedback(running: Running) -> None:
    running.post(CHAT, GOOD)
    decision = running.get("/v1/decisions?limit=1")[1]["data"][0]["id"]
    assert running.post("/v1/feedback", {"id": decision, "thumbs": "up", "quality": 0.9})[0] == 201
    assert running.get(f"/v1/decisions/{decision}")[1]["feedback"][0]["quality"] == 0.9
    assert running.post("/v1/feedback", {"id": decision})[0] == 400
    assert running.post("/v1/feedback", {"id": decision, "quality": 1.5})[0] == 400
    assert running.post("/v1/feedback", {"id": "req_" + "0" * 32, "quality": 0.5})[0] == 404


def test_route_decides_and_asks_nobody(running: Running, shared_mock: Any) -> None:
    status, decision = running.post("/v1/route", {"messages": GOOD["messages"]})
    assert status == 200
    assert decision["chosen"] == "tiny"
    assert not shared_mock.calls
    assert running.get(f"/v1/decisions/{decision['id']}")[1]["outcome"] is None
