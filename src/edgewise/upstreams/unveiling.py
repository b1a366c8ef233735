"""A stream whose placeholders become values again, however the pieces cut them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.upstreams.veil import is_list, is_object

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from edgewise.upstreams.veil import Veil

    Channel = tuple[int, str]

TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
TOOL = "tool:"


async def unveiled(pieces: AsyncGenerator[bytes, None], veil: Veil) -> AsyncGenerator[bytes, None]:
    """The stream's events with values in place of placeholders. Closing it closes `pieces`.

    An event goes on as it came unless something in it changes. A text's end that may be the beginning of a
    placeholder waits for the next event of the same choice, at the latest for its finish.
    """
    unveiling = Unveiling(veil)
    rest = b""
    try:
        async for piece in pieces:
            *events, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
            if ready := b"".join([unveiling.event(event) + b"\n\n" for event in events]):
                yield ready
        if rest.strip():
            yield unveiling.event(rest) + b"\n\n"
        if last := unveiling.end():
            yield last
    finally:
        await pieces.aclose()


class Unveiling:
    """What one stream holds back, by choice and by the text that it belongs to."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._held: dict[Channel, str] = {}
        self._envelope: dict[str, Any] = {}

    def event(self, event: bytes) -> bytes:
        """One event, without its blank line."""
        if not event.startswith(b"data:"):
            return event
        data = event[5:].strip()
        if data == b"[DONE]":
            return self.end() + event
        try:
            chunk = msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return event
        if not is_object(chunk) or not self._changed(chunk):
            return event
        return b"data: " + msgspec.json.encode(chunk)

    def end(self) -> bytes:
        """An event with what is still held, where the stream ends without a finish; otherwise nothing."""
        choices = {number for number, _ in self._held}
        if not choices:
            return b""
        chunk = {**self._envelope, "choices": [self._last(number) for number in sorted(choices)]}
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"

    def _last(self, number: int) -> dict[str, Any]:
        delta: dict[str, Any] = {}
        self._released(number, delta)
        return {"index": number, "delta": delta}

    def _changed(self, chunk: dict[str, Any]) -> bool:
        """Unveil a chunk in place; whether that changed anything."""
        self._envelope = {key: chunk[key] for key in ("id", "object", "created", "model") if key in chunk}
        changed = False
        for choice in _dicts(chunk.get("choices")):
            number, said = choice.get("index", 0), choice.get("delta")
            delta: dict[str, Any] = said if is_object(said) else {}
            changed |= self._unveil(delta, number)
            if choice.get("finish_reason") and any(key[0] == number for key in self._held):
                choice["delta"] = delta
                self._released(number, delta)
                changed = True
        return changed

    def _unveil(self, delta: dict[str, Any], number: int) -> bool:
        changed = False
        for field in TEXTS:
            if isinstance(delta.get(field), str):
                changed |= self._text(delta, field, (number, field), self._veil.show)
        for call in _dicts(delta.get("tool_calls")):
            function = call.get("function")
            if is_object(function) and isinstance(function.get("arguments"), str):
                place = (number, f"{TOOL}{call.get('index', 0)}")
                changed |= self._text(function, "arguments", place, self._veil.show_quoted)
        return changed

    def _text(self, owner: dict[str, Any], field: str, place: Channel, show: Callable[[str], str]) -> bool:
        """Unveil one text in place, holding back its end where it may go on in the next event."""
        came = owner[field]
        text = self._held.pop(place, "") + came
        waiting = self._veil.held(text)
        if waiting:
            self._held[place] = text[len(text) - waiting :]
            text = text[: len(text) - waiting]
        owner[field] = show(text)
        return bool(owner[field] != came)

    def _released(self, number: int, delta: dict[str, Any]) -> None:
        """Add what a choice still holds to its last delta: beginnings that turned out to be none."""
        for place in [place for place in self._held if place[0] == number]:
            text = self._held.pop(place)
            if not place[1].startswith(TOOL):
                delta[place[1]] = (delta.get(place[1]) or "") + text
                continue
            index = int(place[1].removeprefix(TOOL))
            calls = delta.setdefault("tool_calls", [])
            calls.append({"index": index, "function": {"arguments": text}})


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if is_list(value):
        for item in value:
            if is_object(item):
                yield item
