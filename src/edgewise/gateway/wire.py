"""ASGI in a few words: read a body within limits, send an answer, know that the client is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from edgewise.domain.errors import RequestError
from edgewise.gateway.connection import KEY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")


async def read_body(scope: Scope, receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body, or `RequestError` (413, 408).

    One that is too long is refused as soon as that is known; the connection throws the rest away.
    """
    connection = scope.get(KEY)
    if connection is not None and connection.has_body:
        return await _read(receive, limit)
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:  # the parser let only digits through
            raise _too_long(limit)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, limit)
    except TimeoutError:
        raise RequestError(f"The body took longer than {timeout_s:g} s.", status=408) from None


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        piece: bytes = message["body"]
        size += len(piece)
        if size > limit:
            raise _too_long(limit)
        pieces.append(piece)
        more = bool(message.get("more_body"))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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
