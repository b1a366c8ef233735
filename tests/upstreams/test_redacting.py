"""Placeholders go out, values come back: whole, streamed, cut anywhere, and inside tools' arguments."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import WouldLeave
from edgewise.domain.requests import Action, Finding, Request
from edgewise.features.detectors import Detection
from edgewise.gateway.chat_body import parse_chat
from edgewise.upstreams.guarded import Guarded
from edgewise.upstreams.redacting import Redacting
from edgewise.upstreams.unveiling import unveiled
from edgewise.upstreams.veil import Veil

CLOUD = Candidate("far", "cloud", "cloud")
SCREEN = Detection("redact")
CARD, MAIL = "4111 1111 1111 1111", "ann@example.org"


class Echo:
    """Answers with what a function makes of the body, and remembers what it was sent."""

    def __init__(self, *deltas: dict[str, Any], size: int = 7) -> None:
        self.sent: list[Request] = []
        self.deltas, self.size = deltas, size

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        self.sent.append(request)
        if not request.stream:
            choices = [{"index": 0, "message": delta, "finish_reason": "stop"} for delta in self.deltas]
            return json.dumps({"choices": choices}).encode()
        return self._stream()

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        events = [{"id": "x", "choices": [{"index": 0, "delta": delta}]} for delta in self.deltas]
        events.append({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        whole = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
        whole += b"data: [DONE]\n\n"
        for start in range(0, len(whole), self.size):
            yield whole[start : start + self.size]

    async def aclose(self) -> None: ...


def answered(echo: Echo, body: dict[str, Any], screen: Detection = SCREEN) -> bytes:
    async def main() -> bytes:
        request = await screen.screen(parse_chat(json.dumps(body).encode(), {}))
        answer = await Redacting(Guarded(echo, CLOUD), screen).ask(request)
        return answer if isinstance(answer, bytes) else b"".join([piece async for piece in answer])

    return asyncio.run(main())


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


def deltas_of(stream: bytes) -> list[dict[str, Any]]:
    events = [event[6:] for event in stream.split(b"\n\n") if event.startswith(b"data: {")]
    return [choice["delta"] for event in events for choice in json.loads(event)["choices"]]


def test_a_plain_answer_gets_its_values_back() -> None:
    echo = Echo({"role": "assistant", "content": "I charged [CARD_1] and wrote to [EMAIL_1]. Not [EMAIL_2]."})
    answer = answered(echo, said(f"Charge {CARD}, then write to {MAIL}; yes, {MAIL}.", user=MAIL))
    (sent,) = echo.sent
    assert json.loads(sent.body) == said(
        "Charge [CARD_1], then write to [EMAIL_1]; yes, [EMAIL_1].", user="[EMAIL_1]"
    )
    assert (sent.prompt, sent.findings) == (sent.text, ())
    assert CARD not in repr(sent)
    assert MAIL not in repr(sent)
    content = json.loads(answer)["choices"][0]["message"]["content"]
    assert content == f"I charged {CARD} and wrote to {MAIL}. Not [EMAIL_2]."


def test_a_placeholder_that_stands_there_already_is_not_taken() -> None:
    echo = Echo({"content": "[EMAIL_1] is not [EMAIL_2]"})
    answer = answered(echo, said(f"What is [EMAIL_1]? I am {MAIL}."))
    assert "I am [EMAIL_2]." in echo.sent[0].text
    assert json.loads(answer)["choices"][0]["message"]["content"] == f"[EMAIL_1] is not {MAIL}"


@pytest.mark.parametrize("size", [1, 2, 5, 31, 10_000])
def test_a_stream_is_restored_however_it_is_cut(size: int) -> None:
    words = ["To [EM", "AIL", "_1", "], see [1] and [", "CARD_1", "][", "EMAIL_1] [EMA"]
    echo = Echo(*({"content": word} for word in words), size=size)
    stream = answered(echo, said(f"{MAIL} pays with {CARD}", stream=True))
    text = "".join(delta.get("content", "") for delta in deltas_of(stream))
    assert text == f"To {MAIL}, see [1] and {CARD}{MAIL} [EMA"
    assert stream.endswith(b"data: [DONE]\n\n")


def test_tool_arguments_stay_json() -> None:
    """A private key has line ends, which JSON inside JSON escapes twice."""
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----"
    pieces = ['{"pem": "[PRIV', 'ATE_KEY_1]", "to"', ': "[EMAIL_1]"}']
    calls = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    stream = answered(Echo(*calls), said(f"Send {key} to {MAIL}", stream=True))
    got = "".join(d["tool_calls"][0]["function"]["arguments"] for d in deltas_of(stream) if d)
    assert json.loads(got) == {"pem": key, "to": MAIL}
    whole = [{"id": "1", "type": "function", "function": {"name": "send", "arguments": "".join(pieces)}}]
    plain = json.loads(answered(Echo({"content": None, "tool_calls": whole}), said(f"Send {key} to {MAIL}")))
    arguments = plain["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"pem": key, "to": MAIL}


def test_the_conversations_own_tool_calls_are_veiled() -> None:
    arguments = json.dumps({"card": 4111111111111111, "mail": MAIL})
    call = {"id": "1", "type": "function", "function": {"name": "pay", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "pay"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": f"paid by {MAIL}"},
    ]
    echo = Echo({"content": "done"})
    answered(echo, {"messages": messages})
    sent = json.loads(echo.sent[0].body)["messages"]
    hidden = json.loads(sent[1]["tool_calls"][0]["function"]["arguments"])
    assert hidden == {"card": "[CARD_1]", "mail": "[EMAIL_1]"}
    assert sent[2]["content"] == "paid by [EMAIL_1]"
    assert MAIL not in repr(echo.sent[0])  # whatever an upstream reads of the request


def test_what_cannot_be_redacted_is_not_sent() -> None:
    echo = Echo({"content": "done"})
    with pytest.raises(WouldLeave):  # an escaped sign inside a tool's JSON: held local by the screen
        answered(echo, said('{"mail": "ann\\u0040example.org"}'))
    forgetful = Detection("redact", rules=lambda text: SCREEN.rules(text)[:1])

    async def main() -> None:
        request = await forgetful.screen(parse_chat(json.dumps(said(f"{MAIL} {CARD}")).encode(), {}))
        await Redacting(Guarded(echo, CLOUD), SCREEN).ask(request)

    with pytest.raises(WouldLeave, match="could not be redacted"):
        asyncio.run(main())
    assert not echo.sent


@pytest.mark.parametrize(("action", "goes"), [("allow", True), ("local", False), ("block", False)])
def test_other_actions_are_none_of_its_business(action: Action, goes: bool) -> None:
    echo = Echo({"content": "[EMAIL_1]"})
    if goes:
        assert b"[EMAIL_1]" in answered(echo, said(MAIL), Detection(action))
        assert MAIL in echo.sent[0].text
        return
    with pytest.raises(WouldLeave):
        answered(echo, said(MAIL), Detection(action))
    assert not echo.sent


values = st.lists(st.text('ab[]_1EMAIL"\\\n', min_size=1, max_size=8), min_size=1, max_size=4)
texts = st.text('ab[]_1EMAIL"\\\n ', max_size=60)


@given(values, texts)
def test_veiling_can_be_undone(found: list[str], text: str) -> None:
    whole = text.join(found)
    veil = Veil([_finding(value) for value in found], whole)
    hidden = veil.hide_in({"content": whole, "arguments": whole, whole: [whole, 1, None]})
    assert veil.show_in({"content": hidden["content"]})["content"] == whole
    assert not any(name in whole for name in veil._values)
    quoted = json.dumps({"x": veil.hide(whole)})
    assert json.loads(veil.show_quoted(quoted)) == {"x": whole}


@given(values, texts, st.lists(st.integers(1, 9), max_size=30))
def test_streams_say_what_plain_answers_say(found: list[str], text: str, sizes: list[int]) -> None:
    whole = text.join(found)
    veil = Veil([_finding(value) for value in found], whole)
    hidden, cuts = veil.hide(whole), [0]
    for size in sizes:
        cuts.append(cuts[-1] + size)
    parts = [hidden[a:b] for a, b in zip(cuts, [*cuts[1:], len(hidden) + cuts[-1]], strict=True)]

    async def pieces() -> AsyncGenerator[bytes, None]:
        for part in parts:
            yield (
                b"data: "
                + json.dumps({"choices": [{"index": 0, "delta": {"content": part}}]}).encode()
                + b"\n\n"
            )

    async def main() -> bytes:
        return b"".join([piece async for piece in unveiled(pieces(), veil)])

    assert "".join(delta.get("content", "") for delta in deltas_of(asyncio.run(main()))) == whole


def _finding(value: str) -> Any:
    return Finding("email", 0, 0, "redact", value)
