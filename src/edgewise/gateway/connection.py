"""One client's connection: uvicorn's HTTP with limits on headers, and word of a client that hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgewise.domain.wire import error_body

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

KEY = "edgewise.connection"


class Connection(HttpToolsProtocol):
    """`on_lost` is called once when the client hangs up in the middle of a request.

    Headers must be complete within `header_timeout_s` and `max_header_bytes`; the latter answers 431.
    """

    header_timeout_s: ClassVar[float] = 10.0
    max_header_bytes: ClassVar[int] = 32_768

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_lost: Callable[[], object] | None = None
        self._in_headers = False
        self._header_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a silent client only so much time."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.header_timeout_s, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever is answering that nobody listens any more."""
        super().connection_lost(exc)
        self._stop_timer()
        if self.on_lost is not None:
            on_lost, self.on_lost = self.on_lost, None
            on_lost()

    def data_received(self, data: bytes) -> None:
        """Count bytes until the headers are complete."""
        if self._in_headers or len(data) > self.max_header_bytes:
            self._header_bytes += len(data)
        super().data_received(data)
        if not self._in_headers:
            self._header_bytes = 0
        elif self._header_bytes > self.max_header_bytes:
            self._refuse()
        elif self._timer is None:
            self._header_bytes += len(data)
            self._timer = self.loop.call_later(self.header_timeout_s, self._hang_up)

    def on_message_begin(self) -> None:
        """Let the application find this connection."""
        super().on_message_begin()
        self._in_headers = True
        cast("dict[str, Any]", self.scope)[KEY] = self

    def on_headers_complete(self) -> None:
        """Headers are in: no more hurry; too many of them are refused."""
        self._in_headers = False
        self._stop_timer()
        if self._header_bytes and self._length_of_headers() > self.max_header_bytes:
            self._refuse()
            return
        super().on_headers_complete()

    def _length_of_headers(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self) -> None:
        body = error_body(
            f"The headers are longer than {self.max_header_bytes:,} bytes ([server] max_header_bytes).",
            status=431,
        )
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()

    def _hang_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
