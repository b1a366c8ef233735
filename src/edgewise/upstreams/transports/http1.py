"""HTTP/1.1 on the gateway's own event loop: kept-alive connections, httptools as the parser, the loop's TLS.

A call that crosses into another thread and back costs more than the call itself; this way takes a third of
the CPU (docs/benchmarks.md), and a cancelled call hangs up at once. It does what a chat endpoint needs, and
no more: POST and GET, a length or chunks, keep-alive. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewise.domain.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.transports.exchange import Broken, Exchange
from edgewise.upstreams.transports.reply import CONNECT_S, HTTP_OK, MOST_BYTES, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

MOST_IDLE = 64
IDLE_S = 30.0


class Http1:
    """A `Transport`.

    `timeout_s` bounds the silence between two reads, `most_bytes` the body of an answer, `connect_s` the
    making of a connection.

    A kept-alive connection that the server closed just when we used it is tried again, once, on a fresh one:
    nothing of an answer had come.
    """

    def __init__(  # noqa: PLR0913 - one argument a property of the endpoint
        self,
        name: str,
        base: str,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        most_bytes: int = MOST_BYTES,
        connect_s: float = CONNECT_S,
    ) -> None:
        address = urlsplit(base)
        self._making = partial(Exchange, most_bytes)
        self._name, self._timeout_s, self._connect_s = name, timeout_s, connect_s
        self._tls = _tls() if address.scheme == "https" else None
        self._host, self._port = address.hostname or "", address.port or (443 if self._tls else 80)
        self._path = address.path.rstrip("/").encode()
        lines = [f"host: {address.netloc}", *(f"{key}: {value}" for key, value in headers.items())]
        self._head = "\r\n".join(lines).encode("latin-1") + b"\r\ncontent-length: "
        self._idle: list[Exchange] = []
        self._busy: set[Exchange] = set()
        self._watch: asyncio.TimerHandle | None = None

    async def post(self, path: str, body: bytes, *, stream: bool) -> Reply:
        """One call; the answer whole, or as the pieces of a stream."""
        call = b"POST %b%b HTTP/1.1\r\n%b%d\r\n\r\n%b" % (
            self._path,
            path.encode(),
            self._head,
            len(body),
            body,
        )
        return await self._called(call, stream=stream)

    async def get(self, path: str) -> Reply:
        """A question without a body; the answer whole."""
        call = b"GET %b%b HTTP/1.1\r\n%b0\r\n\r\n" % (self._path, path.encode(), self._head)
        return await self._called(call, stream=False)

    async def _called(self, call: bytes, *, stream: bool) -> Reply:
        exchange = self._kept()
        reused = exchange is not None
        if exchange is None:
            exchange = await self._connect()
        try:
            return await self._exchange(exchange, call, stream=stream)
        except Broken as broken:
            if not (reused and broken.untouched):
                raise self._named(broken) from broken
        try:
            return await self._exchange(await self._connect(), call, stream=stream)
        except Broken as broken:
            raise self._named(broken) from broken

    @property
    def rtt_s(self) -> float | None:
        """The round trip that the operating system measured on one of our connections; Linux tells."""
        for exchange in (*self._busy, *self._idle):
            if (found := exchange.rtt_s) is not None:
                return found
        return None

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, exchange: Exchange, call: bytes, *, stream: bool) -> Reply:
        self._busy.add(exchange)
        if self._watch is None:
            self._watch_silence()
        try:
            status = await exchange.ask(call)
            if stream and status == HTTP_OK:
                return Reply(status, pieces=self._pieces(exchange))
            body = await exchange.rest()
        except BaseException:
            self._keep(exchange)
            raise
        self._keep(exchange)
        return Reply(status, body, None, exchange.header(b"retry-after"))

    async def _pieces(self, exchange: Exchange) -> AsyncGenerator[bytes, None]:
        try:
            while piece := await exchange.piece():
                yield piece
        except Broken as broken:
            raise self._named(broken) from broken
        finally:
            self._keep(exchange)

    def _kept(self) -> Exchange | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            exchange = self._idle.pop()
            if exchange.is_usable and now - exchange.idle_since < IDLE_S:
                return exchange
            exchange.close()
        return None

    def _keep(self, exchange: Exchange) -> None:
        """Back to the others, if its answer was read to the end; otherwise closed, which cancels the call."""
        self._busy.discard(exchange)
        exchange.settle()
        if exchange.is_usable and len(self._idle) < MOST_IDLE:
            exchange.idle_since = asyncio.get_running_loop().time()
            self._idle.append(exchange)
        else:
            exchange.close()

    def _watch_silence(self) -> None:
        """One timer for all calls under way, rather than one each."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for exchange in self._busy:
            exchange.check_silence(now, self._timeout_s)
        every = min(1.0, self._timeout_s / 4)
        self._watch = loop.call_later(every, self._watch_silence) if self._busy else None

    async def _connect(self) -> Exchange:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, exchange = await loop.create_connection(
                    self._making, self._host, self._port, ssl=self._tls
                )
        except TimeoutError as error:
            where = f"{self._host}:{self._port}"
            raise UpstreamTimeout(
                f"{self._name}: no connection to {where} in {self._connect_s:g} s."
            ) from error
        except ssl.SSLError as error:
            why = f"the certificate or TLS of {self._host}:{self._port} is not accepted"
            raise UpstreamUnreachable(f"{self._name}: {why} ({error.reason or error}).") from error
        except (OSError, UnicodeError) as error:  # the latter from names that no name server can be asked for
            raise UpstreamUnreachable(f"{self._name}: no connection to {self._host}:{self._port}.") from error
        return exchange

    def _named(self, broken: Broken) -> UpstreamError:
        if broken.silent:
            return UpstreamTimeout(f"{self._name} sent nothing for {self._timeout_s:g} s.")
        kind = UpstreamError if broken.endless else UpstreamUnreachable
        return kind(f"{self._name}: {broken} ({self._host}:{self._port}).")


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificates, and names checked; one context for all."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
