"""An endpoint that fails when told to: OpenAI's chat completions, on the loop of the study."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable

How = Literal["ok", "500", "reset", "malformed", "cut", "silent"]
PLAIN = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%b"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":30,"total_tokens":50}}' % (b"word " * 30)
)
EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
LAST = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}\n\n'
    b"data: [DONE]\n\n"
)
EVENTS = 10
FAILED = b'{"error":{"message":"it broke","type":"server_error"}}'


class Upstream:
    """Listens on a free loopback port inside `async with`, and notes every call in `calls` (monotonic s).

    `how` says what becomes of a call, `faults` what becomes of that share of them instead, drawn from the
    seed. With `slots`, so many calls are answered at a time, each in `service_s`; the others wait, as they do
    at a model.
    """

    def __init__(
        self,
        *,
        service_s: float = 0.0,
        slots: int | None = None,
        faults: dict[How, float] | None = None,
        seed: int = 0,
    ) -> None:
        self.service_s, self.slots, self.faults = service_s, slots, faults or {}
        self.how: How = "ok"
        self.port = 0
        self.calls: list[float] = []
        self.fates: Counter[How] = Counter()
        self.busy = 0
        self.waiting: deque[Callable[[], None]] = deque()
        self._dice = Random(seed)
        self._server: asyncio.Server | None = None
        self.connections: set[asyncio.Transport] = set()

    def fate(self) -> How:
        """What becomes of the next call."""
        self.calls.append(monotonic())
        drawn = self._dice.random()
        found = self.how
        for fault, share in self.faults.items():
            if (drawn := drawn - share) < 0:
                found = fault
                break
        self.fates[found] += 1
        return found

    async def accept(self) -> None:
        """Listen, after `refuse` on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def refuse(self) -> None:
        """Take no connection, and break those that stand."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in tuple(self.connections):
            transport.abort()

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.accept()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hang up."""
        await self.refuse()

    def begin(self, answer: Callable[[], None]) -> None:
        """Answer once a slot is free and its time has passed."""
        if self.slots is not None and self.busy >= self.slots:
            self.waiting.append(answer)
            return
        self.busy += 1
        if self.service_s:
            asyncio.get_running_loop().call_later(self.service_s, self._end, answer)
        else:
            self._end(answer)

    def _end(self, answer: Callable[[], None]) -> None:
        self.busy -= 1
        answer()
        if self.waiting:
            self.begin(self.waiting.popleft())


class _Connection(asyncio.Protocol):
    """One kept-alive connection; one request at a time, as our own client does it."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._upstream.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The gateway hung up."""
        del exc
        if self._transport is not None:
            self._upstream.connections.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._came += data
        head, found, rest = self._came.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0")
        if len(rest) < length:
            return
        self._came = rest[length:]
        stream = b'"stream":true' in rest[:length]
        how = self._upstream.fate()
        self._upstream.begin(lambda: self._answer(how, stream=stream))

    def _answer(self, how: How, *, stream: bool) -> None:
        transport = self._transport
        if transport is None or how == "silent":
            return
        if how == "reset":
            transport.abort()
        elif how == "500":
            transport.write(_whole(b"500 Internal Server Error", FAILED))
        elif stream:
            transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            self._event(EVENTS, how)
        elif how == "ok":
            transport.write(_whole(b"200 OK", PLAIN))
        else:  # malformed, or cut: half of it
            transport.write(_whole(b"200 OK", PLAIN[:150]))

    def _event(self, left: int, how: How) -> None:
        """The rest of a stream, an event every few milliseconds."""
        transport = self._transport
        if transport is None:
            return
        if how == "cut" and left < EVENTS // 2:
            transport.abort()
            return
        if left:
            transport.write(_chunk(b"data: {\n\n" if how == "malformed" and left == EVENTS // 2 else EVENT))
            asyncio.get_running_loop().call_later(0.004, self._event, left - 1, how)
        else:
            transport.write(_chunk(LAST) + b"0\r\n\r\n")


def _whole(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
