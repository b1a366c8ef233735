"""One model of an Ollama server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from edgewise.domain.errors import UpstreamError
from edgewise.upstreams.ollama.answers import Envelope, line_of, streamed
from edgewise.upstreams.ollama.wire import chat_body
from edgewise.upstreams.transports import transport_for
from edgewise.upstreams.transports.reply import CONNECT_S, HTTP_OK, MOST_BYTES, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from edgewise.domain.requests import Request
    from edgewise.upstreams.transports import Reply, Transport

LATEST = ":latest"
SERVER_ERROR = 500


class _Loaded(Struct):
    name: str = ""
    model: str = ""


class _Processes(Struct):
    models: list[_Loaded] = []


class _Error(Struct):
    error: str = ""


_processes = msgspec.json.Decoder(_Processes)
_error = msgspec.json.Decoder(_Error)


class Ollama:
    """An `Upstream`. `url` is the server's own address, without `/v1`.

    `timeout_s` bounds its silence, `most_bytes` the body of an answer, `connect_s` the making of a
    connection.
    """

    def __init__(  # noqa: PLR0913 - one argument a property of the endpoint
        self,
        candidate_id: str,
        model: str,
        url: str,
        *,
        timeout_s: float = 600.0,
        most_bytes: int = MOST_BYTES,
        connect_s: float = CONNECT_S,
    ) -> None:
        self.candidate_id, self.model = candidate_id, model
        self._url, self._timeout_s, self._most_bytes = url.rstrip("/"), timeout_s, most_bytes
        self._connect_s = connect_s
        self._transport: Transport | None = None

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """Post the chat; raise `UpstreamError` unless the answer begins with a 200."""
        body = chat_body(request.body, self.model, stream=request.stream)
        reply = await self._connected().post("/api/chat", body, stream=request.stream)
        if reply.status != HTTP_OK:
            raise refusal(self.candidate_id, reply, _said(reply))
        envelope = Envelope(request.id, self.model)
        if reply.pieces is None:
            return envelope.whole(line_of(self.candidate_id, reply.body))
        return streamed(self.candidate_id, reply.pieces, envelope)

    async def loaded(self) -> bool | None:
        """Whether the model is in memory now; None where the server does not say."""
        try:
            reply = await self._connected().get("/api/ps")
            if reply.status != HTTP_OK:
                return None
            found = _processes.decode(reply.body).models
        except (UpstreamError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        names = {entry.name or entry.model for entry in found}
        return self.model in names or self.model + LATEST in names

    @property
    def rtt_s(self) -> float | None:
        """The round trip on one of its connections, in seconds; None where nobody measured it."""
        return getattr(self._transport, "rtt_s", None)

    async def aclose(self) -> None:
        """Close idle connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    def _connected(self) -> Transport:
        if self._transport is None:
            headers = {"content-type": "application/json", "accept-encoding": "identity"}
            self._transport = transport_for(
                self.candidate_id,
                self._url,
                headers,
                timeout_s=self._timeout_s,
                most_bytes=self._most_bytes,
                connect_s=self._connect_s,
            )
        return self._transport


def _said(reply: Reply) -> str:
    """What the server says of the request, in its own words."""
    if reply.status >= SERVER_ERROR:
        return ""
    try:
        return _error.decode(reply.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
