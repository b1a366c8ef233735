"""The dashboard as the gateway sees it: handlers by path and method."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from edgewise.dashboard.files import PREFIX, asset
from edgewise.dashboard.html import Html
from edgewise.dashboard.http import HTML, SECURITY, form_of, query_of, send_reply
from edgewise.dashboard.layout import empty, framed, live_address, notice
from edgewise.dashboard.live import MOST_LISTENERS, Bell
from edgewise.dashboard.login import login_page
from edgewise.dashboard.page import Gone, Page, Refused, Reply, Visit
from edgewise.dashboard.pages import pages
from edgewise.domain.errors import EdgewiseError, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.dashboard.http import Handler, Receive, Scope, Send
    from edgewise.dashboard.sources import Sources

logger = logging.getLogger("edgewise.dashboard")
OK: Final = 200
LIVE: Final = "/live"
LOGIN: Final = "/login"
THREADS: Final = 4  # their own: pages that wait for the log must keep no request from a thread


class Dashboard:
    """All pages over one running Edgewise. `observe` every record, so that pages stay up to date."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._pages = {page.path: page for page in pages()}
        self._bell = Bell()
        self._threads = ThreadPoolExecutor(THREADS, "edgewise-page")
        self.observe = self._bell.observe

    def close(self) -> None:
        """Let those who listen go home, and stop looking at the world: Edgewise ends."""
        self._bell.close()
        if self._sources.history is not None:
            self._sources.history.close()

    def at(self, path: str) -> Mapping[str, Handler]:
        """The handlers of a path by method; empty where there is nothing."""
        if path.startswith(PREFIX):
            return {"GET": self._asset, "HEAD": self._asset}
        fixed: dict[str, Mapping[str, Handler]] = {LIVE: {"GET": self._live}, LOGIN: {"GET": self._login}}
        if path in fixed:
            return fixed[path]
        page, rest = self._page(path)
        if page is None:
            return {}
        if not rest:
            return {"GET": self._show, "HEAD": self._show}
        found: dict[str, Handler] = {"POST": self._act} if rest in page.actions else {}
        return {**found, "GET": self._show, "HEAD": self._show} if page.below is not None else found

    def _page(self, path: str) -> tuple[Page | None, str]:
        if path == "/":
            return next(iter(self._pages.values()), None), ""
        name, _, rest = path[1:].partition("/")
        return self._pages.get(f"/{name}"), rest

    async def _asset(self, scope: Scope, _: Receive, send: Send) -> None:
        known = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        try:
            reply = asset(scope["path"].removeprefix(PREFIX), known)
        except Gone as gone:
            raise RequestError(str(gone), status=404, code="unknown_url") from None
        await send_reply(send, reply)

    async def _login(self, scope: Scope, _: Receive, send: Send) -> None:
        if not self._sources.settings.server.keys:
            await send_reply(send, Reply(status=303, headers=(("location", "/"),)))
            return
        await send_reply(send, Reply(login_page(query_of(scope)), HTML))

    async def _show(self, scope: Scope, _: Receive, send: Send) -> None:
        page, rest = self._page(scope["path"])
        assert page is not None  # noqa: S101 - `at` found it
        visit = self._visit(page, query_of(scope), rest)
        write = page.below if rest and page.below is not None else page.body
        status = OK
        try:
            body = await visit.loop.run_in_executor(self._threads, write, visit)
        except Gone as gone:
            status, body = 404, empty(str(gone))
        except EdgewiseError as error:
            status, body = 503, notice(str(error), "bad")
        if isinstance(body, Html):
            await send_reply(send, self._framed(page, body, scope, status, live=not rest and status == OK))
        else:
            await send_reply(send, body)

    async def _act(self, scope: Scope, receive: Receive, send: Send) -> None:
        page, rest = self._page(scope["path"])
        assert page is not None  # noqa: S101 - `at` found it
        visit = replace(self._visit(page, query_of(scope), rest), form=await form_of(scope, receive))
        try:
            reply = await visit.loop.run_in_executor(self._threads, page.actions[rest], visit)
        except (Refused, EdgewiseError) as refused:
            reply = self._framed(page, notice(str(refused), "bad"), scope, 409, live=False)
        await send_reply(send, reply)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, _, query = query_of(scope).get("at", "").partition("?")
        page, rest = self._page(path)
        if page is None or page.live is None or rest:
            raise RequestError(f"Nothing changes at {path[:100]!r}.", status=404, code="unknown_url")
        if self._bell.listeners >= MOST_LISTENERS:
            raise RequestError("Too many pages are open; close one.", status=503, code="overloaded")
        live, first = page.live, self._visit(page, dict(parse_qsl(query, keep_blank_values=True)))

        def look() -> Mapping[str, Html]:
            try:
                return live(replace(first, now=time()))
            except EdgewiseError as error:
                logger.warning("%s is not kept up to date: %s", page.path, error)
            except Exception:
                logger.exception("%s is not kept up to date", page.path)
            return {}

        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, *SECURITY]})
        gone = asyncio.create_task(_until_gone(receive))
        events = self._bell.follow(look, rest_s=page.rest_s, what=(page.path, *first.query.items()))
        try:
            async for event in events:
                if gone.done():
                    break
                await send({"type": "http.response.body", "body": event, "more_body": True})
        finally:
            gone.cancel()
            await events.aclose()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _visit(self, page: Page, query: Mapping[str, str], rest: str = "") -> Visit:
        return Visit(page.path, self._sources, asyncio.get_running_loop(), time(), rest, query)

    def _framed(self, page: Page, body: Html, scope: Scope, status: int, *, live: bool) -> Reply:
        address = live_address(page.path, scope["query_string"].decode("latin-1"))
        keyed = bool(self._sources.settings.server.keys)
        has_live = live and page.live is not None
        whole = framed(
            page, body, tuple(self._pages.values()), live=address if has_live else None, keyed=keyed
        )
        return Reply(whole, HTML, status)


async def _until_gone(receive: Receive) -> None:
    """Wait until whoever asked has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
