"""ASGI in a few words: read a body within limits, send an answer, know that the client is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from edgewise.domain.errors import RequestError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
DISCARDED_BYTES = 256_000_000


async def read_body(receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body, or `RequestError` (413, 408).

    One that is too long is read to its end before it is refused: the client shall see the answer, not a
    broken pipe.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise asyncio.CancelledError
    if not message.get("more_body"):
        body: bytes = message["body"]
        if len(body) > limit:
            raise _too_long(limit)
        return body
    try:
        async with asyncio.timeout(timeout_s):
            return await _read_rest(message["body"], receive, limit)
    except TimeoutError:
        raise RequestError(f"The body took longer than {timeout_s:g} s.", status=408) from None


async def _read_rest(first: bytes, receive: Receive, limit: int) -> bytes:
    pieces, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        size += len(message["body"])
        if size <= limit:
            pieces.append(message["body"])
        elif size > DISCARDED_BYTES:
            break
        else:
            pieces.clear()
        more = bool(message.get("more_body"))
    if size > limit:
        raise _too_long(limit)
    return b"".join(pieces)


def _too_long(limit: int) -> RequestError:
    return RequestError(f"The body is longer than {limit:,} bytes ([server] max_body_bytes).", status=413)


async def send_bytes(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """A whole answer; `headers` without its length."""
    start: Headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, value: Any, *, status: int = 200, headers: Headers | None = None) -> None:
    """A whole answer as JSON."""
    await send_bytes(send, status, [JSON, *(headers or [])], msgspec.json.encode(value))
