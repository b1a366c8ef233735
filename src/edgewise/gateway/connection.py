"""One client's connection: uvicorn's HTTP with limits on headers, and word of a client that hangs up.

The two classes replace what uvicorn does for every request with less of the same: the head of an answer waits
for its first body, so that a plain answer is one write; a path without a query is not parsed as a URL; header
values, which are all ours, are not searched for line breaks; a connection has one keep-alive timer, not one
for each request. That halves uvicorn's share of the CPU (docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from edgewise.domain.wire import error_body

if TYPE_CHECKING:
    from collections.abc import MutableMapping

KEY = "edgewise.connection"
MOST_DISCARDED = 256_000_000
ASGI = {"version": "3.0", "spec_version": "2.3"}


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


class Connection(HttpToolsProtocol):
    """Where `cancel_when_lost` is set, a client that hangs up cancels the request's task.

    Headers must be complete within `header_timeout_s` and `max_header_bytes`; the latter answers 431. Where
    an answer is complete before the request's body is, the rest of the body is thrown away for
    `body_timeout_s` and `MOST_DISCARDED` bytes, so that the client can finish and see the answer. Beyond
    `max_connections` a new one gets 503.
    """

    header_timeout_s: ClassVar[float] = 10.0
    max_header_bytes: ClassVar[int] = 32_768
    body_timeout_s: ClassVar[float] = 60.0
    max_connections: ClassVar[int] = 10_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cancel_when_lost = False
        self._task: asyncio.Task[None] | None = None
        self._in_headers = False
        self._header_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None
        self._discarded: int | None = None  # bytes of a body that came after its answer

    @property
    def is_lost(self) -> bool:
        """Whether the client is gone."""
        return self.transport.is_closing()

    @property
    def has_body(self) -> bool:
        """Whether nothing is still to come of the body of the request that is being answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or not cycle.more_body

    @property
    def has_answered(self) -> bool:
        """Whether the answer to the request that is being answered has begun."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and cycle.response_started

    def close_after_answer(self) -> None:
        """Hang up once the request that is being answered has its answer."""
        self.cycle.keep_alive = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a silent client only so much time."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            said = f"More than {self.max_connections} connections are open ([server] max_connections)."
            self._answer_and_close(503, said, b"retry-after: 1\r\n")
            return
        self._timer = self.loop.call_later(self.header_timeout_s, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever is answering that nobody listens any more."""
        super().connection_lost(exc)
        self._stop_timer()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        if self.cancel_when_lost and self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Count bytes until the headers are complete."""
        if self._in_headers or len(data) > self.max_header_bytes:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._discarded is not None:
            self._discard(len(data))
        if not self._in_headers:
            self._header_bytes = 0
        elif self._header_bytes > self.max_header_bytes:
            self._refuse()
        elif self._timer is None:
            self._header_bytes += len(data)
            self._timer = self.loop.call_later(self.header_timeout_s, self._hang_up)

    def on_message_begin(self) -> None:
        """Begin a scope in which the application can find this connection."""
        self._in_headers = True
        self._discarded = None
        self.url, self.expect_100_continue = b"", False
        self.headers = []
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": ASGI,
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "headers": self.headers,
            "state": {},
            KEY: self,
        }
        self.scope = cast("Any", scope)

    def on_headers_complete(self) -> None:
        """Headers are in: no more hurry; too many of them are refused."""
        self._in_headers = False
        if self._timer is not None:
            self._stop_timer()
        if self._header_bytes and self._length_of_headers() > self.max_header_bytes:
            self._refuse()
            return
        url, parser = self.url, self.parser
        assert parser is not None  # noqa: S101 - it is this parser that calls
        if not url.startswith(b"/") or b"?" in url or b"%" in url or parser.should_upgrade():
            super().on_headers_complete()
            return
        scope = cast("dict[str, Any]", self.scope)
        scope["method"] = parser.get_method().decode("ascii")
        scope["path"], scope["raw_path"], scope["query_string"] = url.decode("latin-1"), url, b""
        keep_alive = parser.get_http_version() != "1.0" and parser.should_keep_alive()
        self._begin(keep_alive=keep_alive)

    def on_message_complete(self) -> None:
        """The body is here, or what came of it after its answer is over."""
        cycle = self.cycle
        cycle.more_body = False
        if not cycle.response_complete:
            cycle.message_event.set()
            return
        self._discarded = None
        self._stop_timer()
        if not cycle.keep_alive:
            self.transport.close()

    def _begin(self, *, keep_alive: bool) -> None:
        before = cast("RequestResponseCycle | None", self.cycle)
        app = cast("Any", self.app)  # pyright: ignore[reportUnknownMemberType] - uvicorn says it is anything
        self.cycle = Cycle(self, keep_alive=keep_alive)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:  # pipelined: its turn comes
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.cancel_when_lost = False
        task = self._task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """Wait for the next request: the one timer of this connection looks now and then whether it came."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        if not self.has_body:
            self._discarded = 0
            self._stop_timer()
            self._timer = self.loop.call_later(self.body_timeout_s, self._hang_up)
        self._idle_since = self.loop.time()
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        if self.timeout_keep_alive_task is None:
            self._look_again_in(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Hang up if nothing was asked for long enough; an answer under way sets the timer at its end."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        rest = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if rest > 0:
            self._look_again_in(rest)
        else:
            super().timeout_keep_alive_handler()

    def _look_again_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Data came: the timer may run on, it will find nobody idle."""
        self._idle_since = None

    def _length_of_headers(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self) -> None:
        said = f"The headers are longer than {self.max_header_bytes:,} bytes ([server] max_header_bytes)."
        self._answer_and_close(431, said)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, in the shape of every other error."""
        del msg
        self._answer_and_close(400, "The request is not valid HTTP/1.1.")

    def _answer_and_close(self, status: int, said: str, more: bytes = b"") -> None:
        body = error_body(said, status=status)
        self.transport.write(
            STATUS_LINE[status] + b"content-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n%b\r\n%b" % (len(body), more, body)
        )
        self.transport.close()

    def _discard(self, size: int) -> None:
        self._discarded = (self._discarded or 0) + size
        if self._discarded > MOST_DISCARDED:
            self.transport.close()

    def _hang_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
