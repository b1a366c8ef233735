"""The gateway as an ASGI application: which path is whose, who may call it, and what failure looks like."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import EdgewiseError, RequestError
from edgewise.domain.privacy import privacy_of
from edgewise.domain.wire import error_body
from edgewise.gateway.chat import PRIVACY, chat
from edgewise.gateway.connection import KEY
from edgewise.gateway.failures import failure
from edgewise.gateway.wire import JSON, OBJECTIVE, send_bytes
from edgewise.settings import KeyRing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgewise.gateway.pages import Pages
    from edgewise.gateway.wire import Headers, Receive, Scope, Send
    from edgewise.router import Router
    from edgewise.settings import Scope as KeyScope
    from edgewise.settings import ServerSettings

    Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("edgewise.gateway")
CHAT = "/v1/chat/completions"
MOST_HOSTS = 64
OPEN_PATHS = frozenset({"/healthz", "/readyz"})


class Gateway:
    """Routes requests to `chat` and to the pages. Nothing that a client sends can raise out of it."""

    def __init__(self, router: Router, pages: Pages, server: ServerSettings) -> None:
        self._router, self._pages, self._server = router, pages, server
        self._keys = KeyRing(server.keys) if server.keys else None
        self._hosts: set[bytes] | None = set() if is_loopback(server.host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry point."""
        if scope["type"] != "http":
            return
        try:
            path: str = scope["path"]
            if self._hosts is not None:
                self._check_origin(scope["headers"])
            if self._keys is not None and path not in OPEN_PATHS:
                self._check_key(scope, _needed(path))
            if path == CHAT and scope["method"] == "POST":
                await chat(scope, receive, send, router=self._router, server=self._server)
            else:
                await self._page(path, scope["method"])(scope, receive, send)
        except asyncio.CancelledError:
            connection = scope.get(KEY)
            if connection is None or not connection.is_lost:
                raise
        except EdgewiseError as error:
            status, headers, body = failure(error)
            await send_bytes(send, status, [JSON, *headers], body)
        except Exception:
            logger.exception("A request failed in a way that we did not foresee.")
            message = "Edgewise made a mistake; its own log says more."
            await send_bytes(send, 500, [JSON], error_body(message, status=500, code="internal"))

    def _page(self, path: str, method: str) -> Handler:
        handlers = self._pages.at(path)
        if not handlers and path != CHAT:
            raise RequestError(f"There is nothing at {path[:200]!r}.", status=404, code="unknown_url")
        handler = handlers.get(method)
        if handler is None:
            allowed = ", ".join(sorted(handlers)) or "POST"
            raise RequestError(
                f"{path} takes {allowed}, not {method}.", status=405, code="method_not_allowed"
            )
        return handler

    def _check_origin(self, headers: Headers) -> None:
        """On loopback, only this machine's own names may be asked for.

        A web page must not reach the gateway through a name of its own that points here (DNS rebinding), nor
        by a request across origins.
        """
        known = self._hosts
        for name, value in headers:
            if name in (b"host", b"origin") and known is not None and value not in known:
                if not _names_loopback(value, self._server.host):
                    said = value[:100].decode("latin-1")
                    raise RequestError(
                        f"Requests for or from {said!r} are not answered; use a loopback address.",
                        status=403,
                        code="forbidden_origin",
                    )
                if len(known) < MOST_HOSTS:
                    known.add(value)

    def _check_key(self, scope: Scope, needed: KeyScope) -> None:
        presented = ""
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                presented = value[7:].strip().decode("latin-1")
            elif name == b"x-api-key" and not presented:
                presented = value.decode("latin-1")
        if self._keys is None:
            return
        key = self._keys.find(presented) if presented else None
        if key is None:
            said = "The API key is wrong." if presented else "An API key is needed (Authorization: Bearer …)."
            raise RequestError(said, status=401, code="invalid_api_key")
        if needed not in key.scopes and "admin" not in key.scopes:
            raise RequestError(
                f"The key '{key.name}' may not do this.", status=403, code="insufficient_scope"
            )
        if key.privacy is not None:
            scope[PRIVACY] = privacy_of(key.privacy)
        if key.objective is not None:
            scope[OBJECTIVE] = key.objective


def _needed(path: str) -> KeyScope:
    """The scope that a path asks for. What others asked and were told is for readers."""
    if path.startswith("/v1/decisions"):
        return "read"
    return "inference" if path.startswith("/v1/") else "admin"


def _names_loopback(value: bytes, own: str) -> bool:
    """Whether a Host (`name:port`) or an Origin (`scheme://name:port`) names this machine."""
    text = value.decode("latin-1")
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return False
    return host == own or is_loopback(host)
