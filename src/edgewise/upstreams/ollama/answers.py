"""Ollama's answers → OpenAI's, whole and as server-sent events."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from edgewise.domain.errors import UpstreamError, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LONGEST_LINE = 16_000_000
DONE = b"data: [DONE]\n\n"


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: dict[str, Any] = {}


class _Call(Struct, frozen=True):
    function: _Function = _Function()
    id: str | None = None


class _Message(Struct, frozen=True):
    content: str = ""
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class Line(Struct, frozen=True):
    """One line of a stream, or a whole answer."""

    message: _Message = _Message()
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int = 0
    eval_count: int = 0
    error: str | None = None


_line = msgspec.json.Decoder(Line)
_encode = msgspec.json.encode


def line_of(name: str, raw: bytes) -> Line:
    """A line as a record. Raises `UpstreamError` for what is no JSON, and for an error inside a 200."""
    try:
        line = _line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UpstreamError(f"{name}: the answer is not Ollama's JSON.") from None
    if line.error is not None:
        raise UpstreamError(f"{name} answered with an error: {' '.join(line.error.split())[:300]}.")
    return line


class Envelope:
    """What surrounds an answer: its id, its model, and how its parts are numbered."""

    def __init__(self, request_id: str, model: str) -> None:
        self._head = {"id": f"chatcmpl-{request_id}", "created": int(time()), "model": model}
        self._calls = 0

    def whole(self, line: Line) -> bytes:
        """A plain chat completion."""
        message: dict[str, Any] = {"role": "assistant", "content": line.message.content}
        if line.message.thinking:
            message["reasoning_content"] = line.message.thinking
        if line.message.tool_calls:
            message["tool_calls"] = self._tool_calls(line)
        choice = {"index": 0, "message": message, "finish_reason": self._finish(line)}
        return _encode(
            {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage_of(line)}
        )

    def events(self, line: Line) -> bytes:
        """The events that one line makes."""
        delta: dict[str, Any] = {}
        if line.message.content:
            delta["content"] = line.message.content
        if line.message.thinking:
            delta["reasoning_content"] = line.message.thinking
        if line.message.tool_calls:
            first = self._calls
            calls = self._tool_calls(line)
            delta["tool_calls"] = [{"index": first + n, **call} for n, call in enumerate(calls)]
        found = self._event(delta) if delta else b""
        if line.done:
            found += self._event({}, finish=self._finish(line))
            found += self._data({"choices": [], "usage": usage_of(line)})
        return found

    def beginning(self) -> bytes:
        """The first event, which has the role and no words."""
        return self._event({"role": "assistant", "content": ""})

    def _tool_calls(self, line: Line) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for call in line.message.tool_calls or ():
            arguments = _encode(call.function.arguments).decode()
            name = call.id or f"call_{self._head['id']}_{self._calls}"
            function = {"name": call.function.name, "arguments": arguments}
            found.append({"id": name, "type": "function", "function": function})
            self._calls += 1
        return found

    def _finish(self, line: Line) -> str:
        if self._calls:
            return "tool_calls"
        return "length" if line.done_reason == "length" else "stop"

    def _event(self, delta: dict[str, Any], *, finish: str | None = None) -> bytes:
        return self._data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def _data(self, value: dict[str, Any]) -> bytes:
        return b"data: " + _encode({**self._head, "object": "chat.completion.chunk", **value}) + b"\n\n"


def usage_of(line: Line) -> dict[str, int]:
    """Tokens in OpenAI's words."""
    read, written = line.prompt_eval_count, line.eval_count
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


async def streamed(
    name: str, pieces: AsyncGenerator[bytes, None], envelope: Envelope
) -> AsyncGenerator[bytes, None]:
    """Newline-delimited JSON in any cut → server-sent events, `[DONE]` at the end.

    Raises `UpstreamError` where the stream ends before it is done.
    """
    rest, done = b"", False
    try:
        yield envelope.beginning()
        async for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise UpstreamError(f"{name}: a line of the answer is longer than {LONGEST_LINE:,} bytes.")
            for raw in lines:
                if raw.strip():
                    line = line_of(name, raw)
                    done = done or line.done
                    if ready := envelope.events(line):
                        yield ready
            if done:
                break
        if not done and rest.strip():
            line = line_of(name, rest)
            done = line.done
            yield envelope.events(line)
        if not done:
            raise UpstreamUnreachable(f"{name} ended its stream before it was done.")
        yield DONE
    finally:
        await pieces.aclose()
