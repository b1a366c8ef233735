"""The gateway as an ASGI application: which path is whose, who may call it, and what failure looks like."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edgewise.domain.errors import EdgewiseError, RequestError
from edgewise.domain.wire import error_body
from edgewise.gateway.chat import chat
from edgewise.gateway.connection import KEY
from edgewise.gateway.door import Door
from edgewise.gateway.drain import Drain
from edgewise.gateway.failures import failure
from edgewise.gateway.visitors import ask_in
from edgewise.gateway.wire import JSON, send_bytes, send_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from edgewise.gateway.limits import Account, Accounts
    from edgewise.gateway.pages import Pages
    from edgewise.gateway.visitors import Site
    from edgewise.gateway.wire import Headers, Message, Receive, Scope, Send
    from edgewise.router import Router
    from edgewise.settings import ServerSettings

    Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("edgewise.gateway")
CHAT = "/v1/chat/completions"
ENDING = "Edgewise is about to end; ask again once it runs."


class Gateway:
    """Routes requests to `chat` and to the pages. Nothing that a client sends can raise out of it.

    `accounts` hold the limits of the keys that have any; `site` are the pages for people, where there are
    any; `drain` is how it ends.
    """

    def __init__(
        self,
        router: Router,
        pages: Pages,
        server: ServerSettings,
        accounts: Accounts | None = None,
        site: Site | None = None,
    ) -> None:
        self._router, self._pages, self._server, self._site = router, pages, server, site
        self._door = Door(server, accounts)
        self.drain = Drain(server.drain_s, at_first=site.close if site is not None else None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry point."""
        if scope["type"] != "http":
            return
        try:
            path: str = scope["path"]
            if self.drain.is_on and path != "/healthz":
                await self._refuse(scope, send)
                return
            account = self._door.admit(scope)
            if account is not None:
                send = _telling(send, account)
                account.admit()
            if path == CHAT and scope["method"] == "POST":
                await chat(scope, receive, send, router=self._router, server=self._server)
            else:
                await self._page(path, scope["method"])(scope, receive, send)
        except asyncio.CancelledError:
            connection = scope.get(KEY)
            if self.drain.is_on and connection is not None and not connection.has_answered:
                await self._refuse(scope, send)
            elif connection is None or not connection.is_lost:
                raise
        except EdgewiseError as error:
            await self._fail(scope, send, error)
        except Exception:
            logger.exception("A request failed in a way that we did not foresee.")
            message = "Edgewise made a mistake; its own log says more."
            await send_bytes(send, 500, [JSON], error_body(message, status=500, code="internal"))

    def _page(self, path: str, method: str) -> Handler:
        handlers = self._pages.at(path) or self._people(path)
        if not handlers and path != CHAT:
            raise RequestError(f"There is nothing at {path[:200]!r}.", status=404, code="unknown_url")
        handler = handlers.get(method)
        if handler is None:
            allowed = ", ".join(sorted(handlers)) or "POST"
            raise RequestError(
                f"{path} takes {allowed}, not {method}.", status=405, code="method_not_allowed"
            )
        return handler

    async def _fail(self, scope: Scope, send: Send, error: EdgewiseError) -> None:
        if self._is_visit(scope, error):
            await ask_in(scope, send)
            return
        status, headers, body = failure(error)
        await send_bytes(send, status, [JSON, *headers], body)

    def _people(self, path: str) -> Mapping[str, Handler]:
        """The pages for people, and the way in."""
        if self._site is None:
            return {}
        return {**self._site.at(path), **self._door.visitors.at(path)}

    def _is_visit(self, scope: Scope, error: EdgewiseError) -> bool:
        """Whether somebody without a key wants to see a page: they are asked for one, not turned away."""
        return (
            isinstance(error, RequestError)
            and error.code == "invalid_api_key"
            and scope["method"] == "GET"
            and any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
            and bool(self._people(scope["path"]))
        )

    async def _refuse(self, scope: Scope, send: Send) -> None:
        """Answer what comes, or is cut off, while Edgewise ends; the connection is closed behind it."""
        connection = scope.get(KEY)
        if connection is not None:
            connection.close_after_answer()
        if scope["path"] == "/readyz":
            await send_json(send, {"status": "not ready", "problem": ENDING}, status=503)
            return
        retry: Headers = [JSON, (b"retry-after", b"%d" % max(1, round(self.drain.patience_s)))]
        await send_bytes(send, 503, retry, error_body(ENDING, status=503, code="shutting_down"))


def _telling(send: Send, account: Account) -> Send:
    """`send`, with what is left of the account in the head of the answer."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] += account.headers()
        await send(message)

    return telling
