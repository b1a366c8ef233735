"""Pages on the wire: ASGI in, headers that let a page do nothing but what it is for, and forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.dashboard.page import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_FORM_BYTES: Final = 1_000_000
FORM_TIMEOUT_S: Final = 10.0
HTML: Final = "text/html; charset=utf-8"
# A page may load and ask what comes from here, and nothing else; no script and no style stands in it.
SECURITY: Final = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # `no-referrer` would take the Origin away from our own forms
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "x-frame-options": "DENY",
    }.items()
)


async def send_reply(send: Send, reply: Reply) -> None:
    """A whole answer. What pages say is kept in no cache."""
    headers = [
        (b"content-type", reply.kind.encode()),
        (b"content-length", b"%d" % len(reply.body)),
        *((name.encode(), value.encode("latin-1", "replace")) for name, value in reply.headers),
        *SECURITY,
    ]
    if all(name != "cache-control" for name, _ in reply.headers):
        headers.append((b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def query_of(scope: Scope) -> dict[str, str]:
    """The query's names and last values."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


async def form_of(scope: Scope, receive: Receive) -> Mapping[str, str]:
    """What a form of this very site sent. Raises RequestError (403, 413, 415)."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if not is_own(headers):
        raise RequestError("This form is not one of ours.", status=403, code="forbidden_origin")
    if not headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        raise RequestError("A form sends application/x-www-form-urlencoded.", status=415)
    try:
        async with asyncio.timeout(FORM_TIMEOUT_S):
            body = await _body(receive)
    except TimeoutError:
        raise RequestError(f"The form took longer than {FORM_TIMEOUT_S:g} s.", status=408) from None
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _body(receive: Receive) -> bytearray:
    """All of it: half a form is no word that anything should be done."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
        if len(body) > MOST_FORM_BYTES:
            raise RequestError(f"A form has at most {MOST_FORM_BYTES:,} bytes.", status=413)
    return body


def is_own(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request comes from a page of this very site: browsers say so of every form and script."""
    origin = headers.get(b"origin", b"")
    try:
        place = urlsplit(origin).netloc
    except ValueError:  # no URL at all
        return False
    return bool(place) and place == headers.get(b"host")
