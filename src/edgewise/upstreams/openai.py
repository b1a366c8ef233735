"""Any endpoint with OpenAI's chat completions: OpenAI, OpenRouter, Ollama, vLLM, LM Studio, llama.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import SettingsError
from edgewise.upstreams.rewrite import body_for
from edgewise.upstreams.transports import transport_for
from edgewise.upstreams.transports.reply import CONNECT_S, HTTP_OK, MOST_BYTES, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from edgewise.domain.requests import Request
    from edgewise.upstreams.transports import Reply, Transport


class _Said(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Said


_refusal = msgspec.json.Decoder(_Refusal).decode
SERVER_ERROR = 500


class OpenAICompatible:
    """One model at one base URL (".../v1"). `url` may be a coroutine where the port is not known yet.

    `api_key` is sent as a bearer token and never shown. `timeout_s` bounds the silence between two reads,
    `most_bytes` the body of an answer, `connect_s` the making of a connection.
    """

    def __init__(  # noqa: PLR0913 - one argument a property of the endpoint
        self,
        candidate_id: str,
        model: str,
        url: str | Callable[[], Awaitable[str]],
        *,
        api_key: str | None = None,
        timeout_s: float = 600.0,
        most_bytes: int = MOST_BYTES,
        connect_s: float = CONNECT_S,
    ) -> None:
        self.candidate_id, self.model = candidate_id, model
        self._url, self._timeout_s, self._most_bytes = url, timeout_s, most_bytes
        self._connect_s = connect_s
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key:
            self._headers["authorization"] = f"Bearer {_one_line(candidate_id, api_key)}"
        self._transport: Transport | None = None
        self._base = ""

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """Post the body; raise `UpstreamError` unless the answer begins with a 200."""
        base = self._url if isinstance(self._url, str) else await self._url()
        transport = self._transport
        if transport is None or base != self._base:
            transport = await self._move(base)
        reply = await transport.post(
            "/chat/completions", body_for(request, self.model), stream=request.stream
        )
        if reply.status != HTTP_OK:
            raise refusal(self.candidate_id, reply, self._said(reply))
        return reply.body if reply.pieces is None else reply.pieces

    @property
    def rtt_s(self) -> float | None:
        """The round trip on one of its connections, in seconds; None where nobody measured it."""
        return getattr(self._transport, "rtt_s", None)

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    def _said(self, reply: Reply) -> str:
        """What the endpoint says of the client's request; what it says of our own key is not repeated."""
        if reply.status in (401, 403) or reply.status >= SERVER_ERROR:
            return ""
        try:
            said = _refusal(reply.body).error.message
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return ""
        key = self._headers.get("authorization", "").removeprefix("Bearer ")
        return "" if key and key in said else said

    async def _move(self, base: str) -> Transport:
        """A transport for a new address: the embedded runtime gets another port when it starts anew."""
        await self.aclose()
        self._transport = transport_for(
            self.candidate_id,
            base,
            self._headers,
            timeout_s=self._timeout_s,
            most_bytes=self._most_bytes,
            connect_s=self._connect_s,
        )
        self._base = base
        return self._transport


def _one_line(candidate_id: str, api_key: str) -> str:
    """The key without the line break that a file leaves at its end; another would begin a header."""
    key = api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(
            f"The API key of '{candidate_id}' holds a line break, or what is not ASCII; "
            "set its environment variable to the key alone."
        )
    return key
