"""One connection to an endpoint, one request at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httptools

from edgewise.upstreams.transports.tcp_info import round_trip

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Transport

MOST_BUFFERED = 1_000_000
MOST_HEADERS = 65_536


class Broken(Exception):
    """The connection is of no more use.

    `untouched`: before a byte of the answer came. `silent`: nothing came for too long. `endless`: too much
    came.
    """

    def __init__(
        self, why: str, *, untouched: bool = False, silent: bool = False, endless: bool = False
    ) -> None:
        self.untouched, self.silent, self.endless = untouched, silent, endless
        super().__init__(why)


class Exchange(asyncio.Protocol):
    """`ask`, then `rest` or `piece` until it is empty; then it may be asked again if `is_usable`.

    An answer whose body is longer than `most_bytes` breaks the connection.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.idle_since = 0.0
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._transport: Transport | None = None
        self._parser: Any = None  # a new one for each answer
        self._pieces: list[bytes] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._waiting: Future[None] | None = None
        self._broken: Broken | None = None
        self._heard = 0.0
        self._size = self._buffered = self._status = 0
        self._answered = self._complete = self._whole = False
        self._at_rest, self._reusable, self._paused = True, True, False

    @property
    def is_usable(self) -> bool:
        """Whether the last answer is over and the connection stands."""
        return self._at_rest and self._reusable and self._broken is None and self._transport is not None

    @property
    def rtt_s(self) -> float | None:
        """The connection's smoothed round trip, as the system measures it; None where it does not."""
        connection = None if self._transport is None else self._transport.get_extra_info("socket")
        return None if connection is None else round_trip(connection)

    async def ask(self, call: bytes) -> int:
        """Send a request; the status of its answer once the headers are in. Raises `Broken`, as all do."""
        self._at_rest = self._answered = self._complete = self._whole = False
        self._headers.clear()
        self._pieces.clear()
        self._size = self._buffered = 0
        self._heard = self._loop.time()
        if self._broken is not None or self._transport is None:
            raise Broken("the connection broke", untouched=True)
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(call)
        while not self._answered:
            await self._news()
        return self._status

    async def rest(self) -> bytes:
        """The whole body."""
        self._whole = True
        self._flow()
        while not self._complete:
            await self._news()
        self.settle()
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def piece(self) -> bytes:
        """What has come since the last piece; empty at the end."""
        pieces = self._pieces
        while not pieces:
            if self._complete:
                self.settle()
                return b""
            await self._news()
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        if self._paused:
            self._flow()
        return piece

    def header(self, name: bytes) -> str | None:
        """The first header of that name (lower case)."""
        return next((value.decode("latin-1") for key, value in self._headers if key == name), None)

    def check_silence(self, now: float, timeout_s: float) -> None:
        """Break off a call that has said nothing for `timeout_s`; `now` is the loop's time."""
        if not self._at_rest and not self._paused and now - self._heard >= timeout_s:
            self._break(Broken("silence", silent=True))

    def settle(self) -> None:
        """Nobody reads on; where all of the answer has come, the connection is free for the next."""
        self._at_rest = self._complete

    def close(self) -> None:
        """Hang up."""
        self.settle()
        self._reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From the loop."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport can write

    def connection_lost(self, exc: Exception | None) -> None:
        """From the loop. An answer without a length ends with its connection."""
        del exc
        self._transport = None
        self._reusable = False
        self._parser = None  # it holds on to us, too
        if self._answered and not self._complete and self._until_close():
            self._complete = True
            self._wake()
        else:
            self._break(Broken("the connection broke", untouched=not self._headers and not self._answered))

    def data_received(self, data: bytes) -> None:
        """From the loop."""
        self._heard = self._loop.time()
        if self._at_rest:  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break(Broken("the endpoint does not speak HTTP/1.1"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """From the parser."""
        if self._complete:
            return
        self._headers.append((name.lower(), value))
        self._size += len(name) + len(value)
        if self._size > MOST_HEADERS:
            self._break(Broken("the headers of the answer are too long"))

    def on_headers_complete(self) -> None:
        """From the parser."""
        if self._complete:  # a second answer to one request: whose it is, nobody knows
            self._break(Broken("the endpoint answered more than once"))
            return
        if self._parser.get_status_code() < 200:  # noqa: PLR2004 - 100 Continue and its kind are no answers
            self._headers.clear()
            return
        self._size = 0
        self._answered = True
        self._status = int(self._parser.get_status_code())
        self._wake()

    def on_body(self, body: bytes) -> None:
        """From the parser."""
        if self._complete:
            return
        self._pieces.append(body)
        self._size += len(body)
        self._buffered += len(body)
        if self._size > self._most_bytes:
            self._break(Broken(f"the answer is longer than {self._most_bytes:,} bytes", endless=True))
            self._pieces.clear()
        elif not self._whole and self._buffered > MOST_BUFFERED and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
        if not self._whole:
            self._wake()

    def on_message_complete(self) -> None:
        """From the parser."""
        if self._answered and not self._complete:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()
            self._wake()

    def _news(self) -> Future[None]:
        """What to wait for; it may be broken off, which raises `Broken`."""
        if self._broken is not None:
            raise self._broken
        self._waiting = waiting = self._loop.create_future()
        return waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():  # nobody waits, or whoever did was cancelled
            return
        if self._broken is not None and not self._complete:
            waiting.set_exception(self._broken)
        else:
            waiting.set_result(None)

    def _break(self, broken: Broken) -> None:
        if self._broken is None:
            self._broken = broken
        self._wake()

    def _flow(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _until_close(self) -> bool:
        names = {name for name, _ in self._headers}
        return b"content-length" not in names and b"transfer-encoding" not in names
