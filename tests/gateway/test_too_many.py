"""Bodies that are short to send and long to read: refused with a sentence, before anybody reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.servers import Mock, Running

from edgewise.domain.errors import RequestError
from edgewise.gateway.chat_body import parse_chat

GOOD: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def keys(many: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(many)}


@pytest.mark.parametrize(
    "more",
    [keys(50_500), {"logit_bias": keys(5_000)}, {"x": [keys(300)] * 100}, {"x": [keys(1)] * 60_000}],
    ids=["top", "nested", "several", "many"],
)
@pytest.mark.parametrize("separators", [(",", ":"), (",", "\n : ")])
def test_too_many_keys_are_refused(
    running: Running, shared_mock: Mock, more: dict[str, Any], separators: tuple[str, str]
) -> None:
    for path in ("/v1/chat/completions", "/v1/route"):
        body = json.dumps({**GOOD, **more}, separators=separators).encode()
        status, answer = running.post(path, body)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
        assert "too many keys" in answer["error"]["message"]
    assert not shared_mock.calls


@pytest.mark.parametrize(
    "more",
    [
        {"logit_bias": keys(1_900)},
        {"x": [keys(10)] * 1_000},
        {"messages": [{"role": "user", "content": json.dumps(keys(10_000))}]},  # one text, however it looks
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ":" * 99_000}] * 2}]},
    ],
    ids=["bias", "schemas", "pasted", "colons"],
)
def test_what_people_send_is_not(more: dict[str, Any]) -> None:
    assert parse_chat(json.dumps({**GOOD, **more}).encode(), {}).prompt


@pytest.mark.parametrize("given", [["x"] * 101, ["y" * 201], ",".join(["z"] * 101)])
def test_too_many_candidates_are_refused(given: list[str] | str) -> None:
    with pytest.raises(RequestError, match="up to 100 ids, each of up to 200 characters"):
        parse_chat(json.dumps({**GOOD, "edgewise": {"candidates": given}}).encode(), {})
