"""Through a proxy, by pyreqwest (docs/decisions/pyreqwest.md).

Redirects are not followed: an endpoint that moves is a matter for the operator, and a followed redirect could
carry a prompt anywhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import (
    ConnectError,
    ConnectTimeoutError,
    PyreqwestError,
    ReadTimeoutError,
    RequestTimeoutError,
)

from edgewise.domain.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.transports.reply import (
    CONNECT_S,
    ERROR_BODY_BYTES,
    HTTP_OK,
    MOST_BYTES,
    Reply,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response


class Reqwest:
    """A `Transport`. Its client is built on first use: a client that nobody uses costs nothing."""

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
        self._most_bytes, self._connect_s = most_bytes, connect_s
        self._name, self._base, self._timeout_s = name, base, timeout_s
        self._headers = dict(headers)
        self._client: Client | None = None

    async def post(self, path: str, body: bytes, *, stream: bool) -> Reply:
        """One call; the answer whole, or as the pieces of a stream."""
        if self._client is None:
            self._client = self._build()
        call = self._client.post(self._base + path).headers(self._headers).body_bytes(body)
        # Or it holds the first 64 KB of a stream back.
        call = call.streamed_read_buffer_limit(0)
        try:
            streamed = call.build_streamed()
            response = await streamed.__aenter__()
        except PyreqwestError as error:
            raise self._named(error) from error
        if response.status == HTTP_OK:
            pieces = self._pieces(streamed, response)
            return Reply(HTTP_OK, pieces=pieces) if stream else await self._whole(pieces)
        try:
            head = bytes(await response.body_reader.read(ERROR_BODY_BYTES) or b"")
        except PyreqwestError as error:
            raise self._named(error) from error
        finally:
            await streamed.__aexit__(None, None, None)
        return Reply(response.status, head, None, _retry_after(response))

    async def get(self, path: str) -> Reply:
        """A question without a body; the answer whole."""
        if self._client is None:
            self._client = self._build()
        try:
            response = await self._client.get(self._base + path).headers(self._headers).build().send()
            return Reply(response.status, bytes(await response.bytes()), None, _retry_after(response))
        except PyreqwestError as error:
            raise self._named(error) from error

    async def _whole(self, pieces: AsyncGenerator[bytes, None]) -> Reply:
        return Reply(HTTP_OK, b"".join([piece async for piece in pieces]))

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _build(self) -> Client:
        builder = (
            ClientBuilder()
            .follow_redirects(enable=False)
            .referer(enable=False)
            .connect_timeout(timedelta(seconds=self._connect_s))
            .read_timeout(timedelta(seconds=self._timeout_s))
        )
        return builder.build()

    async def _pieces(self, streamed: StreamRequest, response: Response) -> AsyncGenerator[bytes, None]:
        read = response.body_reader.read_chunk
        try:
            size = 0
            while (piece := await read()) is not None:
                size += len(piece)
                if size > self._most_bytes:
                    why = f"the answer is longer than {self._most_bytes:,} bytes"
                    raise UpstreamError(f"{self._name}: {why} ({urlsplit(self._base).netloc}).")
                yield bytes(piece)
        except PyreqwestError as error:
            raise self._named(error) from error
        finally:
            await streamed.__aexit__(None, None, None)

    def _named(self, error: PyreqwestError) -> UpstreamError:
        host = urlsplit(self._base).netloc
        if isinstance(error, ConnectTimeoutError):
            return UpstreamTimeout(f"{self._name}: no connection to {host} in {self._connect_s:g} s.")
        if isinstance(error, (ReadTimeoutError, RequestTimeoutError)):
            return UpstreamTimeout(f"{self._name} sent nothing for {self._timeout_s:g} s.")
        if isinstance(error, ConnectError):
            return UpstreamUnreachable(f"{self._name}: no connection to {host}.")
        return UpstreamUnreachable(f"{self._name}: the connection to {host} broke.")


def _retry_after(response: Response) -> str | None:
    return response.get_header("retry-after")
