"""The texts of a request's body that are no part of the conversation: names, users, tools, metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the conversation's own text holds already, what only we read, and what is no text at all.
IN_TEXT = frozenset({"content", "tool_calls", "function_call", "role", "tool_call_id"})
NOT_TEXT = frozenset({"messages", "model", "edgewise", "stream", "stream_options"})
PICTURE = "data:"  # the bytes of an image or a file, which no rule can read
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Messages(msgspec.Struct):
    messages: list[dict[str, msgspec.Raw]] = []


_messages = msgspec.json.Decoder(_Messages)


def elsewhere(body: bytes) -> str:
    """Those texts, a line each. Raises `msgspec.DecodeError` for what is not a chat body."""
    fields = [raw for name, raw in _top_level.decode(body).items() if name not in NOT_TEXT]
    for message in _messages.decode(body).messages:
        if len(message) > len(IN_TEXT) or not message.keys() <= IN_TEXT:
            fields += [raw for name, raw in message.items() if name not in IN_TEXT]
    found: list[str] = []
    for raw in fields:
        value = bytes(raw)
        if b'"' in value:
            found += texts_of(msgspec.json.decode(value))
    return "\n".join(found)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        if not value.startswith(PICTURE):
            yield value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield key
            yield from texts_of(inner)
    elif _is_list(value):
        for inner in value:
            yield from texts_of(inner)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
