"""Sessions and requests to begin from."""

from __future__ import annotations

from typing import Any

import msgspec

from edgewise.domain.requests import Request
from edgewise.gateway.chat_body import parse_chat
from edgewise.sessions import Message

AT = 1_790_000_000.0


def said(role: str, content: str | None, **extras: Any) -> Message:
    return Message(role=role, content=content, at=AT, extras=extras)


def answered(content: str, candidate: str) -> Message:
    return Message(role="assistant", content=content, at=AT, metadata={"candidate": candidate})


def chat(messages: list[dict[str, Any]], session: str | None = None, **more: Any) -> Request:
    ours = {key: more.pop(key) for key in ("privacy", "trim") if key in more}
    body: dict[str, Any] = {"messages": messages, **more}
    if session or ours:
        body["edgewise"] = {"session": session, **ours}
    return parse_chat(msgspec.json.encode(body), {})


def prompt(text: str, session: str | None = None, **more: Any) -> Request:
    return chat([{"role": "user", "content": text}], session, **more)
