"""Any endpoint that speaks OpenAI's chat completions: OpenAI, OpenRouter, Ollama, vLLM, LM Studio, llama.cpp.

Built on pyreqwest (see docs/decisions/pyreqwest.md). Redirects are not followed: an endpoint that
moves is a matter for the operator, and a followed redirect could carry a prompt anywhere.
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

from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.rewrite import body_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

    from edgewise.domain.requests import Request

HTTP_OK = 200
ERROR_BODY_LIMIT = 65_536
CONNECT_TIMEOUT_S = 10.0


class OpenAICompatible:
    """One model at one base URL (".../v1"). `url` may be a coroutine where the port is not known yet.

    `api_key` is sent as a bearer token and never shown. `timeout_s` bounds the silence between two reads.
    """

    def __init__(
        self,
        candidate_id: str,
        model: str,
        url: str | Callable[[], Awaitable[str]],
        *,
        api_key: str | None = None,
        timeout_s: float = 600.0,
    ) -> None:
        self.candidate_id, self.model = candidate_id, model
        self._url = url
        self._timeout_s = timeout_s
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        self._client: Client | None = None
        self._base = ""

    async def ask(self, request: Request) -> AsyncGenerator[bytes, None]:
        """Post the body; raise `UpstreamError` unless the answer begins with a 200."""
        base = self._url if isinstance(self._url, str) else await self._url()
        client = self._client_for(base)
        call = (
            client.post(base + "/chat/completions")
            .headers(self._headers)
            .body_bytes(body_for(request, self.model))
        )
        if not request.stream:
            response = await self._send(call.build().send(), base)
            body = bytes(await response.bytes())
            if response.status != HTTP_OK:
                raise self._refusal(response.status, body[:ERROR_BODY_LIMIT], response)
            return _one(body)
        streamed = call.build_streamed()
        response = await self._send(streamed.__aenter__(), base)
        if response.status != HTTP_OK:
            try:
                raise self._refusal(response.status, await _head(response), response)
            finally:
                await streamed.__aexit__(None, None, None)
        return self._pieces(streamed, response)

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _client_for(self, base: str) -> Client:
        if self._client is None or base != self._base:
            builder = (
                ClientBuilder()
                .follow_redirects(enable=False)
                .connect_timeout(timedelta(seconds=CONNECT_TIMEOUT_S))
                .read_timeout(timedelta(seconds=self._timeout_s))
                .tcp_nodelay(True)  # noqa: FBT003 - its own signature
            )
            if is_loopback(urlsplit(base).hostname or ""):
                builder = builder.no_proxy()
            self._client, self._base = builder.build(), base
        return self._client

    async def _send(self, sending: Awaitable[Response], base: str) -> Response:
        try:
            return await sending
        except PyreqwestError as error:
            raise self._named(error, base) from error

    async def _pieces(self, streamed: StreamRequest, response: Response) -> AsyncGenerator[bytes, None]:
        read = response.body_reader.read_chunk
        try:
            while (piece := await read()) is not None:
                yield bytes(piece)
        except PyreqwestError as error:
            raise self._named(error, self._base) from error
        finally:
            await streamed.__aexit__(None, None, None)

    def _named(self, error: PyreqwestError, base: str) -> UpstreamError:
        if isinstance(error, (ReadTimeoutError, RequestTimeoutError)):
            return UpstreamTimeout(f"{self.candidate_id} sent nothing for {self._timeout_s:g} s.")
        host = urlsplit(base).netloc
        if isinstance(error, ConnectTimeoutError):
            return UpstreamTimeout(
                f"{self.candidate_id}: no connection to {host} in {CONNECT_TIMEOUT_S:g} s."
            )
        if isinstance(error, ConnectError):
            return UpstreamUnreachable(f"{self.candidate_id}: no connection to {host}.")
        return UpstreamUnreachable(f"{self.candidate_id}: the connection to {host} broke.")

    def _refusal(self, status: int, body: bytes, response: Response) -> UpstreamRefused:
        return UpstreamRefused(
            f"{self.candidate_id} answered with HTTP {status}.",
            status=status,
            body=body,
            retry_after=response.get_header("retry-after"),
        )


async def _one(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece


async def _head(response: Response) -> bytes:
    """As much of an error's body as anyone needs."""
    return bytes(await response.body_reader.read(ERROR_BODY_LIMIT) or b"")
