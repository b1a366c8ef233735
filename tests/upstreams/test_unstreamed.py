"""Endpoints that answer whole although they were asked to stream."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.upstreams.reading import DONE, Meter, words_of
from edgewise.upstreams.unstreamed import events_of

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def whole(message: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return json.dumps({"id": "x", "model": "m", "choices": [choice], **more}, indent=1).encode()


@given(st.text(min_size=1), st.lists(st.integers(0, 400), max_size=4))
def test_a_whole_answer_becomes_a_stream_however_it_is_cut(text: str, cuts: list[int]) -> None:
    body = whole({"content": text}, usage={"prompt_tokens": 3, "completion_tokens": 2})
    meter = Meter(wants_usage=False, keep_text=True)
    places = [0, *sorted(cuts), len(body)]
    given_on = b"".join(meter.feed(body[a:b]) for a, b in pairwise(places))
    end = meter.finish()
    assert given_on == b""
    assert end.endswith(DONE)
    assert words_of(end) == meter.text() == text
    assert meter.usage is not None
    assert (meter.usage.prompt_tokens, meter.usage.completion_tokens) == (3, 2)
    assert b"usage" not in end  # nobody asked
    assert meter.started


def test_tool_calls_are_numbered() -> None:
    event = json.loads(events_of(whole({"content": None, "tool_calls": [CALL, CALL]}))[6:])
    assert [call["index"] for call in event["choices"][0]["delta"]["tool_calls"]] == [0, 1]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"hello", b"{}", b'{"choices": []}', b'{"choices": 1}', b'{"choices": [{"mess']
)
def test_what_is_no_answer_stays_none(body: bytes) -> None:
    meter = Meter(wants_usage=False, keep_text=True)
    assert meter.feed(body) == b""
    assert meter.finish() == b""


def test_an_error_inside_a_200_is_one() -> None:
    meter = Meter(wants_usage=False, keep_text=True)
    meter.feed(b'{"error": {"message": "no"}}')
    assert meter.finish() == b""
    assert meter.error == "The candidate reported an error in its stream."


def test_half_a_stream_is_not_mistaken_for_a_whole_answer() -> None:
    meter = Meter(wants_usage=False, keep_text=True)
    meter.feed(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' + whole({"content": "b"}))
    assert meter.finish() == b""
