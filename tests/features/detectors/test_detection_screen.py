"""The screen: what it does with what it finds, and that it fails closed."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from msgspec import structs

from edgewise.domain.requests import Action, Request
from edgewise.features.detectors import Detection, Match
from edgewise.gateway.chat_body import parse_chat

MAIL, CARD = "ann@example.org", "4111 1111 1111 1111"


def screened(screen: Detection, *messages: dict[str, Any], **more: Any) -> Request:
    body = json.dumps({"messages": list(messages) or [{"role": "user", "content": MAIL}], **more}).encode()
    return asyncio.run(screen.screen(parse_chat(body, {})))


def found(request: Request) -> list[tuple[str, str, str]]:
    return [(one.rule, one.action, one.value) for one in request.findings]


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(("action", "privacy"), [("local", "local"), ("redact", None), ("block", None)])
def test_actions(action: Action, privacy: str | None) -> None:
    request = screened(Detection(action))
    assert found(request) == [("email", action, MAIL)]
    assert request.text[request.findings[0].start : request.findings[0].end] == MAIL
    assert request.wishes.privacy == privacy


def test_allow_searches_nothing_and_a_rule_may_differ() -> None:
    assert screened(Detection("allow")).findings == ()
    mixed = Detection("redact", {"email": "allow", "card": "block"})
    assert found(screened(mixed, user(f"{MAIL} {CARD} +49 30 1234567"))) == [
        ("card", "block", CARD),
        ("phone", "redact", "+49 30 1234567"),
    ]
    assert found(screened(Detection("allow", {"card": "local"}), user(f"{MAIL} {CARD}")))[0][1] == "local"


def test_the_whole_conversation_is_read() -> None:
    arguments = json.dumps({"to": MAIL})
    call = {"id": "1", "type": "function", "function": {"name": "send", "arguments": arguments}}
    for message in (
        {"role": "system", "content": f"You work for {MAIL}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": None, "function_call": {"name": "send", "arguments": arguments}},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": f"sent to {MAIL}"}]},
        {"role": "user", "name": MAIL, "content": "x"},
    ):
        assert found(screened(Detection("block"), user("hi"), message, user("bye"))) == [
            ("email", "block", MAIL)
        ], message
    for more in ({"user": MAIL}, {"metadata": {MAIL: "x"}}, {"tools": [{"function": {"description": MAIL}}]}):
        assert found(screened(Detection("block"), user("hi"), **more)) == [("email", "block", MAIL)], more


def test_what_is_escaped_is_held_local_where_it_cannot_be_redacted() -> None:
    hidden = user('{"to": "ann\\u0040example.org"}')
    assert found(screened(Detection("redact"), hidden)) == [("email", "local", MAIL)]
    assert screened(Detection("redact"), hidden).wishes.privacy == "local"


class Broken:
    def find(self, text: str) -> list[Match]:
        raise RuntimeError(f"I saw {text}")


class Slow:
    def find(self, text: str) -> list[Match]:
        time.sleep(0.3)
        return [Match("late", 0, len(text))]


@pytest.mark.parametrize("detector", [Broken(), Slow()])
def test_a_detector_that_fails_or_is_late_means_local(
    detector: Broken | Slow, caplog: pytest.LogCaptureFixture
) -> None:
    request = screened(Detection("redact", detectors=(detector,), timeout_s=0.1))
    assert found(request) == [("failed_detector", "local", "")]
    assert request.wishes.privacy == "local"
    assert MAIL not in caplog.text


def test_broken_rules_mean_local() -> None:
    def rules(text: str) -> list[Match]:
        raise ValueError(text)

    assert screened(Detection("redact", rules=rules)).wishes.privacy == "local"


def test_a_long_text_is_read_in_pieces_or_held_local() -> None:
    long = "word " * 40_000 + CARD
    assert found(screened(Detection("block"), user(long))) == [("card", "block", CARD)]
    assert screened(Detection("redact", timeout_s=1e-9), user(long)).wishes.privacy == "local"


def test_a_request_is_searched_once() -> None:
    searches: list[str] = []

    def rules(text: str) -> list[Match]:
        searches.append(text)
        return []

    async def main() -> None:
        screen = Detection("local", rules=rules)
        once = await screen.screen(parse_chat(json.dumps({"messages": [user("hi")]}).encode(), {}))
        assert await screen.screen(once) is once

    asyncio.run(main())
    assert searches == ["hi"]


def test_other_findings_stay() -> None:
    before = screened(Detection("block"))
    again = asyncio.run(Detection("local").screen(structs.replace(before, searched=False)))
    assert {one.action for one in again.findings} == {"block", "local"}
