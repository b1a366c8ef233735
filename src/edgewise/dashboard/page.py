"""What a page is: where it lies, what the navigation calls it, and the functions that write it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from edgewise.dashboard.html import Html

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from edgewise.dashboard.sources import Sources

Found = TypeVar("Found")


class Reply(Struct, frozen=True):
    """An answer that is no page: a file, or the way to another page."""

    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def redirect(to: str) -> Reply:
    """Go and look there: what an action ends with. `to` is a path of ours."""
    return Reply(status=303, headers=(("location", to),))


def download(name: str, body: bytes, kind: str) -> Reply:
    """A file to be saved under `name`, never shown in place."""
    return Reply(body, kind, 200, (("content-disposition", f'attachment; filename="{name}"'),))


class Gone(Exception):
    """There is nothing at this place; its text says what to do instead. The page is then a 404."""


class Refused(Exception):
    """An action cannot be carried out; its text, one sentence, is shown. The page is then a 409."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a page, or one action on it.

    `rest` is what follows the page's own path, `query` and `form` hold the last value of each name. `now` is
    unix seconds.
    """

    path: str
    sources: Sources
    loop: asyncio.AbstractEventLoop
    now: float
    rest: str = ""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    form: Mapping[str, str] = field(default_factory=dict[str, str])

    def wait(self, for_: Coroutine[Any, Any, Found] | Awaitable[Found]) -> Found:
        """What the gateway's own loop comes to: pages are written in threads of their own."""

        async def awaited() -> Found:
            return await for_

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result()

    def link(self, **changed: str | None) -> str:
        """The same page with other values in its query; None takes one away."""
        query = {name: value for name, value in {**self.query, **changed}.items() if value}
        return f"{self.path}?{urlencode(query)}" if query else self.path


Body = Callable[[Visit], Html | Reply]
Live = Callable[[Visit], Mapping[str, Html]]
Action = Callable[[Visit], Reply]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. All its functions run in a thread, so they may read the log; they must not touch the loop.

    `body` writes what stands below the title. `live` gives the content of elements by id, and is asked again
    whenever something was logged, and every few seconds. `below` answers `PATH/…`. `actions` answer
    `POST PATH/NAME`, from this very site only. `scripts` are modules of its own among the assets,
    `rest_s` the least time between two looks of `live`.
    """

    path: str
    title: str
    body: Body
    live: Live | None = None
    below: Body | None = None
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
    scripts: tuple[str, ...] = ()
    rest_s: float = 0.5
