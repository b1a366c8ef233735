"""POST /v1/chat/completions: the hot path."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from edgewise.domain.errors import EdgewiseError, RequestError, UnknownModel
from edgewise.domain.wire import error_event
from edgewise.gateway.callers import CALLER, NOBODY
from edgewise.gateway.chat_body import PREFIX, parse_chat
from edgewise.gateway.connection import KEY
from edgewise.gateway.failures import failure
from edgewise.gateway.limits import ACCOUNT
from edgewise.gateway.wire import JSON, read_body, send_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from edgewise.domain.decisions import Decision
    from edgewise.domain.requests import Request
    from edgewise.gateway.wire import Headers, Receive, Scope, Send
    from edgewise.router import Router
    from edgewise.settings import ServerSettings

LISTS = ("privacy", "candidates")  # headers that may hold several values
EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
]


async def read_chat(scope: Scope, receive: Receive, server: ServerSettings) -> Request:
    """The chat request in an HTTP request; what its key prefers stands in the scope."""
    body = await read_body(scope, receive, limit=server.max_body_bytes, timeout_s=server.body_timeout_s)
    return parse_chat(body, wished(scope), scope.get(CALLER, NOBODY))


def wished(scope: Scope) -> dict[str, str]:
    """What the `x-edgewise-*` headers say, by their names without that prefix."""
    wishes: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name.startswith(PREFIX):
            wish, said = name[len(PREFIX) :].decode("latin-1"), value.decode("latin-1").strip()
            wishes[wish] = together(wish, wishes[wish], said) if wish in wishes else said
    return wishes


def together(wish: str, before: str, said: str) -> str:
    """What a header that comes twice means: of lists both, so that a later line undoes nothing."""
    if before == said:
        return said
    if wish not in LISTS:
        raise RequestError(f"The header x-edgewise-{wish[:40]} comes twice and says two things; send one.")
    return f"{before},{said}"


async def chat(scope: Scope, receive: Receive, send: Send, *, router: Router, server: ServerSettings) -> None:
    """Answer one chat completion. A client that hangs up cancels the call to the candidate."""
    request = await read_chat(scope, receive, server)
    account = scope.get(ACCOUNT)
    if account is not None:
        account.reserve(request)
    connection = scope.get(KEY)
    if connection is None:  # another ASGI server: it will say `http.disconnect`, and nobody listens for it
        await _answer(request, router, send)
        return
    connection.cancel_when_lost = True
    try:
        await _answer(request, router, send)
    except asyncio.CancelledError:
        if not connection.is_lost:
            raise
    finally:
        if account is not None:
            account.settle(request.id)  # whatever left no record used nothing


async def _answer(request: Request, router: Router, send: Send) -> None:
    try:
        answer = await router.route(request)
    except EdgewiseError as error:
        status, headers, body = failure(error)
        if not isinstance(error, UnknownModel):  # such a request left no record to ask for
            headers.append((b"x-request-id", request.id.encode()))
        await send_bytes(send, status, [JSON, *headers], body)
        return
    headers = told(answer.decision)
    if answer.pieces is None:
        await send_bytes(send, 200, [JSON, *headers], answer.body or b"")
        return
    await send({"type": "http.response.start", "status": 200, "headers": EVENT_STREAM + headers})
    await _stream(answer.pieces, send)


async def _stream(pieces: AsyncGenerator[bytes, None], send: Send) -> None:
    try:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except asyncio.CancelledError as ended:
        with suppress(asyncio.CancelledError):  # wherever it was caught, the record shall say why
            await pieces.athrow(ended)
        if ended.args:  # it was not the client who hung up
            event = error_event(str(ended.args[0]), code="shutting_down")
            await send({"type": "http.response.body", "body": event, "more_body": True})
        raise
    except Exception:
        await send(
            {
                "type": "http.response.body",
                "body": error_event("Edgewise made a mistake; its log says more.", code="internal"),
                "more_body": True,
            }
        )
        raise
    finally:
        await pieces.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def told(decision: Decision) -> Headers:
    """What every answer says about its decision."""
    return [
        (b"x-request-id", decision.id.encode()),
        (b"x-edgewise-candidate", decision.chosen.encode()),
        (b"x-edgewise-location", decision.location.encode()),
        (b"x-edgewise-policy", decision.policy.encode()),
        (b"x-edgewise-reason", decision.reason.encode()),
    ]
