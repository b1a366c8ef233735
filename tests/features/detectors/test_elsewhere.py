"""What is read of a body beside the conversation's words: everything that is sent on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from edgewise.domain.requests import Request
from edgewise.features.detectors import Detection
from edgewise.features.detectors.elsewhere import Ambiguous, elsewhere
from edgewise.gateway.chat_body import parse_chat

MAIL, CARD = "ann@example.org", 4111111111111111
HI = {"role": "user", "content": "hi"}


def screened(action: Any, body: bytes) -> Request:
    return asyncio.run(Detection(action).screen(parse_chat(body, {})))


def called(**call: Any) -> dict[str, Any]:
    plain = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": "{}"}}
    return {"role": "assistant", "content": None, "tool_calls": [{**plain, **call}]}


def told(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "hi"}, *parts]}


@pytest.mark.parametrize(
    "message",
    [
        told({"type": "image_url", "image_url": {"url": f"https://example.com/?of={MAIL}"}}),
        told({"type": "file", "file": {"filename": f"{MAIL} only.pdf", "file_data": "data:a/b;base64,AAAA"}}),
        told({"type": "tool_result", "content": f"sent to {MAIL}"}),
        told({"type": "text", "text": "yes", "refusal": f"not to {MAIL}"}),
        told({"type": MAIL}),
        {"role": MAIL, "content": "hi"},
        {"role": "tool", "tool_call_id": MAIL, "content": "hi"},
        called(id=MAIL),
        called(note=MAIL),
        called(function={"name": MAIL, "arguments": "{}"}),
        called(function={"name": "send", "arguments": "{}", "input": MAIL}),
        called(custom={"name": "send", "input": MAIL}),
    ],
)
def test_nothing_of_a_message_is_passed_over(message: dict[str, Any]) -> None:
    request = screened("block", json.dumps({"messages": [HI, message]}).encode())
    assert [(one.rule, one.value) for one in request.findings] == [("email", MAIL)]


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"note": f"data: for {MAIL}"}},
        {"stream_options": {"include_usage": True, "for": MAIL}},
        {MAIL: 1},
    ],
)
def test_nor_of_what_stands_around_them(more: dict[str, Any]) -> None:
    request = screened("block", json.dumps({"messages": [HI], **more}).encode())
    assert [(one.rule, one.value) for one in request.findings] == [("email", MAIL)]


@pytest.mark.parametrize("more", [{"user": CARD}, {"metadata": {"card": [CARD]}}])
def test_a_number_that_is_no_text_cannot_be_redacted_and_stays_here(more: dict[str, Any]) -> None:
    request = screened("redact", json.dumps({"messages": [HI], **more}).encode())
    assert [(one.rule, one.action, one.value) for one in request.findings] == [("card", "local", str(CARD))]
    assert request.wishes.privacy == "local"


@pytest.mark.parametrize(
    "twice",
    [
        b'{"messages":[{"role":"user","content":"ann@example.org","content":"hi"}]}',
        b'{"messages":[{"role":"user","content":[{"type":"text","text":"ann@example.org","text":"hi"}]}]}',
        b'{"messages":[{"role":"user","content":"ann@example.org"}],"messages":[{"role":"user","content":"x"}]}',
        b'{"messages":[{"role":"user","content":"hi"}],"metadata":{"a":"ann@example.org","a":"b"}}',
        b'{"model":"auto","messages":[{"role":"user","content":"hi"}],"mod\\u0065l":"ann@example.org"}',
    ],
)
def test_what_stands_twice_may_hide_something_and_is_held_local(twice: bytes) -> None:
    with pytest.raises(Ambiguous):
        elsewhere(twice, set())
    assert screened("redact", twice).wishes.privacy == "local"


def test_words_of_the_protocol_pictures_and_ids_are_left_out() -> None:
    """Nothing is searched twice, and no rule has to read what nobody wrote."""
    body = {
        "model": MAIL,
        "seed": CARD,
        "max_tokens": 10,
        "messages": [
            {"role": "user", "content": MAIL},
            told({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9}}),
            told({"type": "input_audio", "input_audio": {"data": "A" * 4096}}),
            called(id=f"call_{CARD}"),
            {"role": "tool", "tool_call_id": f"call_{CARD}", "content": "done"},
        ],
        "edgewise": {"metadata": {"who": MAIL}},
    }
    around = elsewhere(json.dumps(body).encode(), {MAIL, "hi", "done", "{}"})
    assert set(around.texts.split("\n")) <= {"input_audio", "data", "send", "seed", "model", "edgewise"}
    assert not around.numbers
