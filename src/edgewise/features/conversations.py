"""Conversations as texts: a prompt may be a JSON list of messages, in tables and in `route`'s input.

The written form is canonical: roles and plain text, nothing else, so that the same conversation is the same
prompt wherever it comes from. A conversation that is but one message of the user is that message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import Struct

from edgewise.domain.requests import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_LIST_OF_OBJECTS = re.compile(r"\s*\[\s*\{")


class _Part(Struct):
    type: str = "text"
    text: str | None = None


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None


_decode = msgspec.json.Decoder(list[_Message]).decode


def turns_in(text: str) -> tuple[Turn, ...]:
    """The messages that a prompt holds, or none where it is plain text.

    A list of messages has known roles and some text; any other JSON is a prompt like any other. Messages
    without text (calls of tools) are left out.
    """
    if not _LIST_OF_OBJECTS.match(text):
        return ()
    try:
        messages = _decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return ()
    if any(message.role not in ROLES for message in messages):
        return ()
    turns = tuple(Turn(m.role, _plain(m.content)) for m in messages if m.content is not None)
    return turns if any(turn.text.strip() for turn in turns) else ()


def written(turns: Sequence[Turn]) -> str:
    """A conversation as a prompt: a single message of the user as it stands, otherwise JSON."""
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].text
    return msgspec.json.encode(turns).decode()


def prompt_of(value: object) -> str:
    """A table's or a line's prompt: a text, or messages as JSON text or as a list, in the written form."""
    text = value if isinstance(value, str) else _json(value)
    turns = turns_in(text)
    return written(turns) if turns else text


def asked(turns: Sequence[Turn]) -> int | None:
    """Where the user's last message stands, if the user says anything."""
    for place in range(len(turns) - 1, -1, -1):
        if turns[place].role == "user" and turns[place].text.strip():
            return place
    return None


def _plain(content: str | list[_Part] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text)


def _json(value: object) -> str:
    """What is no text as text: JSON, or what Python says of it."""
    if value is None:
        return ""
    if not isinstance(value, list | dict):
        return str(value)
    try:
        return msgspec.json.encode(cast("Any", value)).decode()
    except (TypeError, ValueError):
        return str(cast("Any", value))
