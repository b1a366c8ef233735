"""OpenAI's own client with a router behind it instead of a server: for every framework that takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.domain.errors import EdgewiseError, MissingExtra, RequestError
from edgewise.gateway.chat import told
from edgewise.gateway.chat_body import PREFIX
from edgewise.gateway.failures import failure
from edgewise.integrations.answers import answer_in, events_in
from edgewise.integrations.asking import Asking
from edgewise.integrations.callers import Callers
from edgewise.integrations.opening import Opening
from edgewise.integrations.promises import together

try:
    import httpx2
    from openai import AsyncOpenAI
except ImportError as _missing:
    raise MissingExtra("OpenAI's client in front of Edgewise", "openai-agents") from _missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from edgewise.gateway.wire import Headers
    from edgewise.library import Router, Source

BASE_URL = "http://edgewise.invalid/v1"  # nobody ever asks for its address
CHAT = "/v1/chat/completions"
JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
WISH = PREFIX.decode()


class Transport(httpx2.AsyncBaseTransport):
    """Answers chat completions in this process, as the gateway would: same body, headers and errors.

    `wishes`, by the names of the `x-edgewise-*` headers, hold for every request; a request's own headers say
    more. Whoever called a tool gets its result.
    """

    def __init__(self, router: Router | Opening | Source | None = None, **wishes: str | None) -> None:
        self.opening = router if isinstance(router, Opening) else Opening(router)
        self._wishes = {name: said for name, said in wishes.items() if said is not None}
        self._callers = Callers()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request; an error is an answer in OpenAI's shape."""
        try:
            return await self._answer(request)
        except EdgewiseError as error:
            status, headers, body = failure(error)
            return _response(status, [JSON, *headers], body)

    async def aclose(self) -> None:
        """The router stays as it is: others may be using it."""

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != CHAT:
            raise RequestError("Edgewise answers chat completions here, and nothing else.", status=404)
        said = msgspec.json.decode(await request.aread(), type=dict[str, Any])
        asking = Asking(
            await self.opening.router(),
            said,
            together(_wished(request.headers), self._wishes),
            previous=self._callers.of(said.get("messages") or []),
        )
        if not said.get("stream"):
            body = await asking.body()
            self._callers.remember(asking, answer_in(body))
            return _response(200, [JSON, *told(asking.decided)], body)
        await asking.begin()
        return httpx2.Response(
            200, headers=[EVENTS, *told(asking.decided)], stream=_Stream(self._relay(asking))
        )

    async def _relay(self, asking: Asking) -> AsyncGenerator[bytes, None]:
        async for piece in asking.pieces():
            if b'"tool_calls"' in piece:
                for event in events_in(piece):
                    self._callers.remember(asking, event)
            yield piece


class _Stream(httpx2.AsyncByteStream):
    """A response's body as it comes; closing it early reaches the endpoint."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """Hang up."""
        await self._pieces.aclose()


def client(router: Router | Opening | Source | None = None, **wishes: str | None) -> AsyncOpenAI:
    """OpenAI's asynchronous client, answered by a router in this process.

    `router` and `wishes` are a `Transport`'s. It does not try again by itself: Edgewise does.
    """
    http = httpx2.AsyncClient(transport=Transport(router, **wishes))
    return AsyncOpenAI(base_url=BASE_URL, api_key="unused", http_client=http, max_retries=0)


def _wished(headers: Mapping[str, str]) -> dict[str, str]:
    return {name[len(WISH) :]: said for name, said in headers.items() if name.startswith(WISH)}


def _response(status: int, headers: Headers, body: bytes) -> httpx2.Response:
    return httpx2.Response(status, headers=headers, content=body)
