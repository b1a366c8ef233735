"""One request on a connection, and its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from edgewise.gateway.connection import Connection


class Cycle(RequestResponseCycle):
    """One request and its answer. The application's headers are trusted: the gateway made them."""

    _head: bytes | None = None
    _is_head = False

    def __init__(self, connection: Connection, *, keep_alive: bool) -> None:
        """What uvicorn's own begins with, less what only its access log and its headers need."""
        self.scope = connection.scope
        self.transport, self.flow, self.logger = connection.transport, connection.flow, connection.logger
        self.message_event = asyncio.Event()
        self.on_response = connection.on_response_complete
        self.keep_alive, self.waiting_for_100_continue = keep_alive, connection.expect_100_continue
        self.body, self.more_body = bytearray(), True
        self.disconnected = self.response_started = self.response_complete = False
        self.chunked_encoding = None

    async def receive(self) -> Any:
        """ASGI's `receive`; a body that is here already is handed over as it is."""
        if self.more_body or self.waiting_for_100_continue or self.disconnected or self.response_complete:
            return await super().receive()
        if not self.message_event.is_set():  # it was handed over before
            return await super().receive()
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """ASGI's `send`."""
        if not self.response_started:
            self._begin(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected or self.response_complete:
            return
        body: bytes = message.get("body", b"")
        last = not message.get("more_body", False)
        if self._is_head:
            body = b""
        if self.chunked_encoding:
            out = b"".join((b"%x\r\n" % len(body), body, b"\r\n")) if body else b""
            if last:
                out += b"0\r\n\r\n"
        else:
            out = body
        if self._head is not None:
            out, self._head = self._head + out, None
        self.transport.write(out)
        if last:
            self.response_complete = True
            self.message_event.set()
            if (
                not self.keep_alive and not self.more_body
            ):  # else the client is still sending, and would not look
                self.transport.close()
            self.on_response()

    def _begin(self, message: MutableMapping[str, Any]) -> None:
        self.response_started = True
        self._is_head = self.scope["method"] == "HEAD"
        self.waiting_for_100_continue = False
        head = [STATUS_LINE[message["status"]]]
        chunked = True
        for name, value in message["headers"]:
            if name == b"content-length":
                chunked = False
            head += (name, b": ", value, b"\r\n")
        self.chunked_encoding = chunked
        if chunked:
            head.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive:
            head.append(b"connection: close\r\n")
        head.append(b"\r\n")
        self._head = b"".join(head)


def is_under_way(cycle: RequestResponseCycle) -> bool:
    """Whether an answer has begun and is not over, or the body of an answered request still comes."""
    return cycle.response_started and (cycle.more_body or not cycle.response_complete)
