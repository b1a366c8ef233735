"""Whole answers from endpoints that were asked to stream, and do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = ("id", "created", "model")


class _Calls(Struct):
    tool_calls: list[dict[str, Any]] | None = None


class _Choice(Struct):
    message: dict[str, Any] = {}
    index: int = 0
    finish_reason: str | None = None

    @property
    def delta(self) -> dict[str, Any]:
        """The message as a stream's change: tool calls are numbered there."""
        calls = msgspec.convert(self.message, _Calls).tool_calls
        if not calls:
            return self.message
        return {**self.message, "tool_calls": [{"index": n, **call} for n, call in enumerate(calls)]}


class _Answer(Struct):
    choices: list[_Choice] = []
    usage: dict[str, Any] | None = None


_answer = msgspec.json.Decoder(_Answer)
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


def events_of(body: bytes) -> bytes:
    """A whole chat completion as the events of a stream, without `[DONE]`; nothing for what is none.

    An error inside a 200 becomes an event of its own.
    """
    if not body.lstrip().startswith(b"{"):
        return b""
    try:
        return b"".join(map(_event, _chunks(body)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b""


def _chunks(body: bytes) -> Iterator[dict[str, Any]]:
    head, answer = _top_level.decode(body), _answer.decode(body)
    if "error" in head and bytes(head["error"]) != b"null":
        yield {"error": head["error"]}
    elif answer.choices:
        common: dict[str, Any] = {name: head[name] for name in KEPT if name in head}
        common["object"] = "chat.completion.chunk"
        choices = [
            {"index": one.index, "delta": one.delta, "finish_reason": one.finish_reason or "stop"}
            for one in answer.choices
        ]
        yield {**common, "choices": choices}
        if answer.usage is not None:
            yield {**common, "choices": [], "usage": answer.usage}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
