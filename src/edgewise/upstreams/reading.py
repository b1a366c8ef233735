"""What an answer says about itself: text, tokens, first content, whether it ended as it should.

A `Meter` reads a stream as it passes, and touches it only to take out a usage report that the client
did not ask for. Nearly every piece takes the short way: a few substring searches, no parsing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from edgewise.domain.labels import Said
from edgewise.upstreams.unstreamed import events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE = b"data: [DONE]\n\n"
NO_USAGE = b',"usage":null'
KEPT_BYTES = 1_000_000
BYTES_PER_EVENT = 200
MOST_EVENT = 4_000_000  # bytes without a blank line: no event is as long as that
MOST_TOKENS = 10_000_000  # no context is as long as that: whoever reports more does not count tokens
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")  # what the lines of an event begin with


class Usage(Struct):
    """Tokens as the upstream counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Words(Struct):
    content: str | None = None
    tool_calls: Raw | UnsetType = UNSET
    reasoning_content: str | None = None


class _Choice(Struct):
    message: _Words | None = None
    delta: _Words | None = None
    finish_reason: str | None = None


class _Unmetered(Struct):
    choices: list[_Choice] = []
    error: Raw | UnsetType = UNSET


class _Answer(_Unmetered):
    usage: Usage | None = None


_answer = msgspec.json.Decoder(_Answer)
_unmetered = msgspec.json.Decoder(_Unmetered)
_lie = Usage(-1, -1)
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Reading(Struct, frozen=True):
    """What was read: `usage` is None where the upstream did not say, `text` the answer's words.

    Of a classifier, `text` is the label and `said` all that it says.
    """

    text: str
    usage: Usage | None
    error: str | None = None
    said: Said | None = None


def read_plain(body: bytes) -> Reading:
    """Read a whole answer. An error inside a 200, or no JSON, comes back as `error`."""
    try:
        answer = _decoded(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Reading("", None, "The candidate's answer is not a JSON chat completion.")
    words = answer.choices[0].message if answer.choices else None
    text = (words.content or "") if words else ""
    usage = _believed(answer.usage, content=bool(text))
    if _said(answer.error):
        return Reading("", usage, "The candidate answered with an error inside a 200.")
    if not answer.choices:
        return Reading("", usage, "The candidate's answer has no choices.")
    return Reading(text, usage)


class Meter:
    """Follows one stream of server-sent events.

    `feed` takes a piece as it came and gives back what may go on to the client now; `[DONE]` is held
    back until `finish`, so that the outcome can be on disk before the client sees the end.
    """

    __slots__ = ("_kept", "_rest", "_size", "_strip", "_tail", "done", "error", "started", "usage")

    def __init__(self, *, wants_usage: bool, keep_text: bool) -> None:
        self._strip = not wants_usage
        self._kept: list[bytes] | None = [] if keep_text else None
        self._rest = b""
        self._tail = (b"", b"")
        self._size = 0
        self.done = False
        self.started = False
        self.usage: Usage | None = None
        self.error: str | None = None

    def feed(self, piece: bytes) -> bytes:
        """Note what a piece says; returns whole events for the client, possibly none."""
        if self._rest:
            piece = self._rest + piece
            self._rest = b""
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        if not piece.endswith(b"\n\n"):
            cut = piece.rfind(b"\n\n") + 2
            self._rest = piece[cut:] if cut > 1 else piece
            if len(self._rest) > MOST_EVENT:
                self._rest = b""
                self.error = f"The candidate's stream holds an event of more than {MOST_EVENT:,} bytes."
                return b""
            if cut == 1:
                return b""
            piece = piece[:cut]
        if self._strip and NO_USAGE in piece:
            piece = piece.replace(NO_USAGE, b"")
        self._size += len(piece)
        self._tail = (self._tail[1], piece)
        if self._kept is not None and self._size <= KEPT_BYTES:
            self._kept.append(piece)
        if self.started and b"[DONE]" not in piece and b'"usage"' not in piece and b'"error"' not in piece:
            return piece
        return b"".join([self._event(event) for event in piece.split(b"\n\n") if event])

    def finish(self) -> bytes:
        """What is left for the client once the upstream is done: `[DONE]`, or the error event."""
        if self.done or (self.error is None and self._ended_well()):
            return DONE
        if self._size or not (events := events_of(self._rest)):
            return b""
        self._rest = b""
        ready = self.feed(events)
        return b"" if self.error else ready + DONE

    def text(self) -> str:
        """The answer's words, from the pieces that were kept."""
        return words_of(b"".join(self._kept or []))

    def estimated_tokens(self) -> int:
        """A guess at the answer's tokens for upstreams that do not count: an event is about a token."""
        return max(1, self._size // BYTES_PER_EVENT)

    def _event(self, event: bytes) -> bytes:
        if self.done or self.error is not None:  # what comes behind the end is no part of the answer
            return b""
        data = _data_of(event)
        if not data:
            return self._aside(event)
        if data == b"[DONE]":
            self.done = True
            return b""
        try:
            answer = _decoded(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.error = "The candidate's stream holds an event that is not JSON."
            return b""
        return self._noted(answer, event, data)

    def _aside(self, event: bytes) -> bytes:
        """An event without data: a comment that keeps the connection alive, or no event at all."""
        if all(line.startswith(FIELDS) for line in event.split(b"\n") if line):
            return event + b"\n\n"
        self.error = "The candidate's answer is not a stream of server-sent events."
        return b""

    def _noted(self, answer: _Answer, event: bytes, data: bytes) -> bytes:
        if _said(answer.error):
            self.error = "The candidate reported an error in its stream."
            return event + b"\n\n"
        if any(_has_content(choice) for choice in answer.choices):
            self.started = True
        if answer.usage is None:
            return event + b"\n\n"
        self.usage = _believed(answer.usage, content=self.started) or self.usage
        if not self._strip:
            return event + b"\n\n"
        if not answer.choices:
            return b""
        try:
            fields = _top_level.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # a key that is no UTF-8
            self.error = "The candidate's stream holds an event that is not JSON."
            return b""
        fields.pop("usage", None)
        return b"data: " + msgspec.json.encode(fields) + b"\n\n"

    def _ended_well(self) -> bool:
        """Some servers leave `[DONE]` out: a finish reason is as good an end."""
        return any(c.finish_reason for answer in _answers(b"".join(self._tail)) for c in answer.choices)


def _answers(events: bytes) -> Iterator[_Answer]:
    for event in events.split(b"\n\n"):
        data = _data_of(event)
        if data and data != b"[DONE]":
            try:
                yield _decoded(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue


def _data_of(event: bytes) -> bytes:
    """What stands behind `data:` in one event; empty where nothing does."""
    if b"\n" not in event:
        return event[5:].strip() if event.startswith(b"data:") else b""
    lines = (line for line in event.split(b"\n") if line.startswith(b"data:"))
    return b"\n".join(line[5:].strip() for line in lines)


def _decoded(data: bytes) -> _Answer:
    """An answer, or an event of one. A usage report of another shape is no reason to refuse the rest."""
    try:
        return _answer.decode(data)
    except msgspec.MsgspecError:
        rest = _unmetered.decode(data)
        return _Answer(choices=rest.choices, error=rest.error, usage=_lie)


def _believed(usage: Usage | None, *, content: bool) -> Usage | None:
    """A usage report, unless it cannot be true: then what was used is estimated, as where there is none.

    Words (`content`) that took no tokens would cost nothing, and nothing at all says that nobody counted.
    """
    if usage is None or not 0 <= usage.prompt_tokens <= MOST_TOKENS:
        return None
    if not usage.prompt_tokens and not usage.completion_tokens:
        return None
    return usage if content <= usage.completion_tokens <= MOST_TOKENS else None


def _has_content(choice: _Choice) -> bool:
    words = choice.delta or choice.message
    return bool(words and (words.content or _said(words.tool_calls) or words.reasoning_content))


def _said(value: Raw | UnsetType) -> bool:
    """Whether a field is there and not null."""
    return value is not UNSET and bytes(value) != b"null"


def words_of(events: bytes) -> str:
    """The words in some whole server-sent events."""
    return "".join(
        choice.delta.content
        for answer in _answers(events)
        for choice in answer.choices[:1]
        if choice.delta and choice.delta.content
    )
