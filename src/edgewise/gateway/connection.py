"""One client's connection: uvicorn's HTTP with limits on headers, and word of a client that hangs up.

`Connection` and `Cycle` replace what uvicorn does for every request with less of the same: the head of an
answer waits for its first body, so that a plain answer is one write; a path without a query is not parsed as
a URL; header values, which are all ours, are not searched for line breaks; a connection has one keep-alive
timer, not one for each request. That halves uvicorn's share of the CPU (docs/benchmarks.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from edgewise.domain.wire import error_body
from edgewise.gateway.cycle import Cycle, is_under_way

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

KEY = "edgewise.connection"
MOST_DISCARDED = 256_000_000
MANY_AHEAD = (
    8  # requests before the answer to the first: no more are read; while none is, no hang-up is noticed
)
MOST_AHEAD = 100  # that came all the same, in one piece
UPGRADES = (b"upgrade", b"http2-settings")
ASGI = {"version": "3.0", "spec_version": "2.3"}


class Connection(HttpToolsProtocol):
    """Where `cancel_when_lost` is set, a client that hangs up cancels the request's task.

    Headers must be complete within `header_timeout_s` and `max_header_bytes`; the latter answers 431. Where
    an answer is complete before the request's body is, the rest of the body is thrown away for
    `body_timeout_s` and `MOST_DISCARDED` bytes, so that the client can finish and see the answer. Beyond
    `max_connections` a new one gets 503. A client that takes nothing of its answer for `write_timeout_s` is
    cut off.

    An offer of another protocol (HTTP/2 in the clear, a WebSocket) is declined by answering as if it had not
    been made: the parser alone would take the body for the next request.
    """

    header_timeout_s: ClassVar[float] = 10.0
    max_header_bytes: ClassVar[int] = 32_768
    body_timeout_s: ClassVar[float] = 60.0
    write_timeout_s: ClassVar[float] = 60.0
    max_connections: ClassVar[int] = 10_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cancel_when_lost = False
        self._task: asyncio.Task[None] | None = None
        self._answering: RequestResponseCycle | None = None  # uvicorn's `cycle` is what came last
        self._in_headers = False
        self._header_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None
        self._discarded: int | None = None  # bytes of a body that came after its answer
        self._beside = 0  # bytes since the body's last: trailers, what a chunk says of itself
        self._had_body = False
        self._is_upgrade = False
        self._untaken: asyncio.TimerHandle | None = None
        self._left = 0  # bytes of an answer that the client had still to take

    @property
    def is_lost(self) -> bool:
        """Whether the client is gone."""
        return self.transport.is_closing()

    @property
    def has_body(self) -> bool:
        """Whether nothing is still to come of the body of the request that is being answered."""
        return self._answering is None or not self._answering.more_body

    @property
    def has_answered(self) -> bool:
        """Whether the answer to the request that is being answered has begun."""
        return self._answering is not None and self._answering.response_started

    def close_after_answer(self) -> None:
        """Hang up once the request that is being answered has its answer."""
        if self._answering is not None:
            self._answering.keep_alive = False

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
        self._stop_waiting_for_room()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        if self._task is None or self._task.done():
            self._forget()
        elif self.cancel_when_lost:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Count bytes until the headers are complete, and those that are neither headers nor body."""
        if self._in_headers or len(data) > self.max_header_bytes:
            self._header_bytes += len(data)
        self._idle_since = None  # the timer may run on: it will find nobody idle
        if not self._is_fed(data):
            return
        if self._discarded is not None:
            self._discard(len(data))
        if not self._in_headers:
            self._header_bytes = 0
            last = cast("RequestResponseCycle | None", self.cycle)
            if last is not None and last.more_body:
                self._look_beside(len(data))
        elif self._header_bytes > self.max_header_bytes:
            self._refuse()
        elif self._timer is None:
            self._header_bytes += len(data)
            self._timer = self.loop.call_later(self.header_timeout_s, self._hang_up)

    def _is_fed(self, data: bytes) -> bool:
        """Whether it was HTTP; otherwise that was said, and the connection is closed."""
        while True:
            try:
                assert self.parser is not None  # noqa: S101 - it goes with the connection
                self.parser.feed_data(data)
            except HttpParserUpgrade as asked:
                data = self._declined() + data[asked.args[0] :]
            except HttpParserError:
                self._answer_and_close(400, "The request is not valid HTTP/1.1.")
                return False
            else:
                return True

    def _declined(self) -> bytes:
        """The head of a request as it would be without the offer of another protocol, for a fresh parser."""
        before = self.parser
        assert before is not None  # noqa: S101 - it has just made the offer out
        version = before.get_http_version().encode()
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._is_upgrade = False
        lines = [before.get_method() + b" " + self.url + b" HTTP/" + version]
        for name, value in self.headers:
            if name == b"connection":
                said = [word.strip() for word in value.split(b",")]
                value = b", ".join(word for word in said if word.lower() not in UPGRADES)  # noqa: PLW2901 - what is left of it
            if name not in UPGRADES and value:
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])

    def _look_beside(self, size: int) -> None:
        """Refuse trailers and words about chunks that are longer than headers may be: they have no end."""
        if self._had_body:
            self._had_body, self._beside = False, 0
            return
        self._beside += size
        if self._beside > self.max_header_bytes:
            self._refuse()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers, which come after a body in chunks, are not heeded."""
        if not self._in_headers:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body until it is asked for."""
        self._had_body = True
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_begin(self) -> None:
        """Begin a scope in which the application can find this connection."""
        self._in_headers = True
        self._beside = 0
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
            raise ValueError  # the parser takes no more
        if len(self.pipeline) >= MOST_AHEAD:
            raise ValueError
        url, parser = self.url, self.parser
        assert parser is not None  # noqa: S101 - it is this parser that calls
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise ValueError
            self._is_upgrade = True
            return
        if not url.startswith(b"/") or b"?" in url or b"%" in url:
            super().on_headers_complete()
            return
        scope = cast("dict[str, Any]", self.scope)
        scope["method"] = parser.get_method().decode("ascii")
        scope["path"], scope["raw_path"], scope["query_string"] = url.decode("latin-1"), url, b""
        keep_alive = parser.get_http_version() != "1.0" and parser.should_keep_alive()
        self._begin(keep_alive=keep_alive)

    def on_message_complete(self) -> None:
        """The body is here, or what came of it after its answer is over."""
        if self._is_upgrade:
            return
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
            self.pipeline.appendleft((self.cycle, app))
            if len(self.pipeline) >= MANY_AHEAD:
                self.flow.pause_reading()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.cancel_when_lost, self._answering = False, cycle
        task = self._task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self._task_over)
        self.tasks.add(task)

    def _task_over(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if self not in self.connections and task is self._task:  # the client is gone
            self._forget()

    def _forget(self) -> None:
        """Let go of what holds this connection in turn, or it waits for the garbage collector."""
        self._task = self._answering = None
        self.pipeline.clear()
        self.cycle = self.scope = cast("Any", None)

    def on_response_complete(self) -> None:
        """Wait for the next request: the one timer of this connection looks now and then whether it came."""
        if self.transport.is_closing():
            self._close()
            return
        self.server_state.total_requests += 1
        if self.pipeline:
            following, app = self.pipeline.pop()
            if len(self.pipeline) < MANY_AHEAD:
                self.flow.resume_reading()
            self._start_asgi_task(following, app)
            return
        if not self.has_body:
            self._discarded = 0
            self._stop_timer()
            self._timer = self.loop.call_later(self.body_timeout_s, self._hang_up)
        self._idle_since = self.loop.time()
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
            self._close()

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

    def _answer_and_close(self, status: int, said: str, more: bytes = b"") -> None:
        """The last words on this connection; none where they would stand in the middle of an answer."""
        if self.transport.is_closing():
            return
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if not self.pipeline and (cycle is None or not is_under_way(cycle)):
            body = error_body(said, status=status)
            self.transport.write(
                STATUS_LINE[status] + b"content-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n%b\r\n%b" % (len(body), more, body)
            )
        self._close()

    def _discard(self, size: int) -> None:
        self._discarded = (self._discarded or 0) + size
        if self._discarded > MOST_DISCARDED:
            self._close()

    def _hang_up(self) -> None:
        self._timer = None
        self._close()

    def _close(self) -> None:
        """Close once all is sent, or once it is clear that nobody takes it."""
        self.transport.close()
        self._wait_for_room()

    def pause_writing(self) -> None:
        """The client takes less than it is given."""
        super().pause_writing()
        self._wait_for_room()

    def resume_writing(self) -> None:
        """It has taken most of it."""
        super().resume_writing()
        self._stop_waiting_for_room()

    def _wait_for_room(self) -> None:
        if self._untaken is None and (left := self.transport.get_write_buffer_size()):
            self._left = left
            self._untaken = self.loop.call_later(self.write_timeout_s, self._look_whether_taken)

    def _look_whether_taken(self) -> None:
        """Cut off who has taken nothing since the last look; a slow client may go on."""
        self._untaken = None
        if self.transport.get_write_buffer_size() >= self._left:
            self.transport.abort()
        else:
            self._wait_for_room()

    def _stop_waiting_for_room(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
