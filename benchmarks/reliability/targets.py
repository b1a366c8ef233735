"""What is fuzzed, and what must hold of it whatever comes in."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.reliability.mutations import cut
from edgewise.domain.errors import EdgewiseError, RequestError, UpstreamError
from edgewise.features.detectors import detection_for
from edgewise.gateway.chat_body import parse_chat
from edgewise.settings.schema import PrivacySettings
from edgewise.upstreams.ollama.answers import Envelope, line_of, streamed
from edgewise.upstreams.ollama.wire import chat_body
from edgewise.upstreams.reading import DONE, MOST_EVENT, MOST_TOKENS, Meter, read_plain
from edgewise.upstreams.redacting import Redacting
from edgewise.upstreams.rewrite import body_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from random import Random

    from edgewise.domain.requests import Request

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
STREAMS = tuple(path.read_bytes() for path in sorted(GOLDEN.glob("*.sse")))
PLAIN = (
    (GOLDEN / "plain.json").read_bytes(),
    b'{"error":{"message":"no","type":"x"}}',
    b'{"choices":[{"message":{"content":null,"tool_calls":[{"id":"a"}]},"finish_reason":"tool_calls"}]}',
)
CHATS = (
    b'{"messages":[{"role":"user","content":"Hi"}],"metadata":{"model":"auto"}}',
    b'{"model":"auto","messages":[{"role":"user","content":"Who wrote Faust?"}]}',
    b'{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text",'
    b'"text":"Hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}],"model":"auto","stream":true}',
    b'{"model":"auto","stream":true,"stream_options":{"include_usage":true},"max_tokens":5,"messages":'
    b'[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f",'
    b'"arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"4"}],"tools":[{"type":"function"}]}',
    b'{"model":"auto","edgewise":{"privacy":"local","deadline_s":2,"candidates":["a"],"metadata":{"a":"b"}},'
    b'"messages":[{"role":"user","content":"Mail jo@example.org or call 4111 1111 1111 1111."}]}',
)
LINES = (
    b'{"model":"m","message":{"role":"assistant","content":"Par"},"done":false}\n'
    b'{"message":{"content":"is."},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":2}\n',
    b'{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":true}\n',
    b'{"error":"model not found"}\n',
)
VEILED = b'data: {"choices":[{"index":0,"delta":{"content":"Mail <EMAIL_1> or <CARD'
FINISH = (
    b'_1>."},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
)


@dataclass(frozen=True, slots=True)
class Target:
    """`run` takes one input and dice of its own; whatever it raises is a find."""

    samples: tuple[bytes, ...]
    run: Callable[[bytes, Random], None]


def meter(data: bytes, dice: Random) -> None:
    """A stream of server-sent events, in any cut."""
    found = Meter(wants_usage=dice.random() < 0.5, keep_text=dice.random() < 0.5)
    for piece in cut(data, dice):
        ready = found.feed(piece)
        assert not ready or ready.endswith(b"\n\n"), "half an event went on to the client"
        assert len(found._rest) <= MOST_EVENT, "what waits for its end grows without bound"  # noqa: SLF001 - its bound is what is looked at
        if found.error or found.done:
            break
    assert found.finish() in {b"", DONE}
    found.text().encode()
    _believable(found.usage.prompt_tokens, found.usage.completion_tokens) if found.usage else None
    assert found.estimated_tokens() >= 1


def plain(data: bytes, dice: Random) -> None:
    """A whole answer."""
    del dice
    reading = read_plain(data)
    reading.text.encode()
    if reading.usage:
        _believable(reading.usage.prompt_tokens, reading.usage.completion_tokens)


def chat(data: bytes, dice: Random) -> None:
    """A client's body: refused in a sentence, or sent on with only the model and our own keys changed."""
    request = _parsed(data, dice)
    if request is None:
        return
    sent = msgspec.json.decode(body_for(request, "giant-9"))
    came = msgspec.json.decode(data)
    assert sent.pop("model") == "giant-9", "the candidate is asked for another model"
    assert "edgewise" not in sent, "our own object leaves"
    for ours in ("model", "edgewise", "stream_options"):
        came.pop(ours, None)
    options = sent.pop("stream_options", None)
    assert not request.stream or options["include_usage"] is True, "usage is not asked for"
    assert sent == came, "the rest of the body was changed"


def ollama_body(data: bytes, dice: Random) -> None:
    """A client's body in Ollama's words."""
    request = _parsed(data, dice)
    if request is None:
        return
    try:
        sent = chat_body(request.body, "tiny", stream=request.stream)
    except RequestError as error:
        str(error).encode()
        return
    assert json.loads(sent)["model"] == "tiny"


def ollama_stream(data: bytes, dice: Random) -> None:
    """Ollama's lines, in any cut, as the client's events."""

    async def read() -> None:
        found = Meter(wants_usage=True, keep_text=True)
        async for ready in streamed("tiny", _source(cut(data, dice)), Envelope("r", "tiny")):
            found.feed(ready)
            assert found.error is None, found.error
        assert found.done

    _run(read, UpstreamError)


def ollama_answer(data: bytes, dice: Random) -> None:
    """Ollama's whole answer."""
    del dice
    try:
        line = line_of("tiny", data)
    except UpstreamError as error:
        str(error).encode()
        return
    reading = read_plain(Envelope("r", "tiny").whole(line))
    assert reading.error is None, reading.error


def redacted(data: bytes, dice: Random) -> None:
    """A body with private things, veiled on its way out, and the answer unveiled on its way back."""
    request = _parsed(data, dice)
    if request is None:
        return

    async def ask() -> None:
        answer = await Redacting(_Echo(dice), DETECTION).ask(request)
        if not isinstance(answer, bytes):
            assert b"".join([piece async for piece in answer])

    _run(ask, EdgewiseError)


class _Echo:
    """Answers with placeholders, in any cut."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        json.loads(request.body)
        return _source(cut(VEILED + FINISH, self._dice)) if request.stream else PLAIN[0]

    async def aclose(self) -> None:
        """Nothing is open."""


def _parsed(data: bytes, dice: Random) -> Request | None:
    headers = {"privacy": dice.choice(("local", "region:eu", "x"))} if dice.random() < 0.1 else {}
    try:
        return parse_chat(data, headers)
    except RequestError as error:
        str(error).encode()
        return None


def _believable(*tokens: int) -> None:
    assert all(0 <= count <= MOST_TOKENS for count in tokens), "nobody used that many tokens"


async def _source(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def _run(what: Callable[[], Any], foreseen: type[Exception]) -> None:
    try:
        LOOP.run_until_complete(what())
    except foreseen as error:
        str(error).encode()


LOOP = asyncio.new_event_loop()
DETECTION = detection_for(PrivacySettings(action="redact"))
TARGETS = {
    "meter": Target(STREAMS, meter),
    "plain": Target(PLAIN, plain),
    "chat": Target(CHATS, chat),
    "ollama-body": Target(CHATS, ollama_body),
    "ollama-stream": Target(LINES, ollama_stream),
    "ollama-answer": Target(LINES, ollama_answer),
    "redacted": Target(CHATS, redacted),
}
