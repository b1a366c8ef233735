"""OpenAI's answers, whole and in pieces, as adapters read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from edgewise.domain.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Called(Struct, frozen=True):
    """The function that a model calls; `arguments` is a JSON text."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class ToolCall(Struct, frozen=True):
    """One call of a tool, or, in a stream, a piece of the call at `index`."""

    index: int = 0
    id: str | None = None
    function: Called = Called()

    @property
    def arguments_text(self) -> str:
        """The arguments, or the piece of them that is here, as they are written."""
        said = self.function.arguments
        return said if isinstance(said, str) else "" if said is None else msgspec.json.encode(said).decode()


class Said(Struct, frozen=True):
    """A message, or the piece of one that an event of a stream brings."""

    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(Struct, frozen=True):
    """One answer of those that were asked for: `message` where it is whole, `delta` in a stream."""

    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None

    @property
    def said(self) -> Said:
        """What is said in it, whole or in part."""
        return self.message or self.delta or Said()


class _Details(Struct, frozen=True):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(Struct, frozen=True):
    """Tokens as the endpoint counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None

    @property
    def cached_tokens(self) -> int:
        """Those of the prompt that came out of a cache."""
        return (self.prompt_tokens_details or _Details()).cached_tokens or 0

    @property
    def reasoning_tokens(self) -> int:
        """Those of the answer that nobody gets to read."""
        return (self.completion_tokens_details or _Details()).reasoning_tokens or 0


class Failure(Struct, frozen=True):
    """What a stream says of its own failure."""

    message: str = "The answer broke off."
    code: str | None = None


class Answered(Struct, frozen=True):
    """A chat completion, or one event of it."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] = []
    usage: Usage | None = None
    error: Failure | None = None


_decode = msgspec.json.Decoder(Answered).decode


def answer_in(body: bytes) -> Answered:
    """A whole answer. Raises UpstreamError for one that has another shape than OpenAI's."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError(f"The candidate's answer is not a chat completion: {error}.") from error


def events_in(piece: bytes) -> Iterator[Answered]:
    """The events in a piece of a stream that holds whole ones; comments and `[DONE]` are left out."""
    for event in piece.split(b"\n\n"):
        data = b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
        if data and data != b"[DONE]":
            yield answer_in(data)
