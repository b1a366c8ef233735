"""Server-sent events: what of a page has changed, soon after something was logged."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Hashable, Mapping

    from edgewise.dashboard.html import Html
    from edgewise.domain.decisions import Record

MOST_LISTENERS: Final = 64
SETTLE_S: Final = 0.1  # what is shown to an observer is on its way to the disk, not yet there
SPARED: Final = 10  # times as long as a look takes it rests: one page has a tenth of a core at most
SHARED_S: Final = 0.05  # so long is one look good for all who look at the same; less than SETTLE_S
AT_LEAST_EVERY_S: Final = 5.0
RETRY: Final = b"retry: 2000\n\n"


class Bell:
    """Rings when something is logged. Without listeners a record costs a look at an empty set.

    All looks take turns in one thread, and whoever looks at the same at the same time shares one: a hundred
    open pages must not take the CPU from requests, nor the threads.
    """

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._end = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "edgewise-live")
        self._latest: dict[Hashable, tuple[float, asyncio.Future[Mapping[str, Html]]]] = {}

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def observe(self, record: Record) -> None:
        """Ring; a record is on its way to the log."""
        del record
        for event in self._listeners:
            event.set()

    def close(self) -> None:
        """Let all who listen go home: Edgewise ends."""
        self._end.set()
        for event in self._listeners:
            event.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def follow(
        self, look: Callable[[], Mapping[str, Html]], *, rest_s: float, what: Hashable
    ) -> AsyncGenerator[bytes, None]:
        """Events with what changed since the last look, as JSON: HTML by the id of its element.

        `look` runs in a thread; `what` tells looks apart. A look that found nothing new sends a comment, so
        that a lost connection is noticed.
        """
        event = asyncio.Event()
        self._listeners.add(event)
        known: dict[str, Html] = {}
        try:
            yield RETRY
            while not self._end.is_set():
                if event.is_set():
                    await asyncio.sleep(SETTLE_S)
                event.clear()
                began = monotonic()
                found = await self._looked(look, what)
                took = monotonic() - began
                changed = {name: html for name, html in found.items() if known.get(name) != html}
                known.update(changed)
                yield _event(changed) if changed else b":\n\n"
                await _either(self._end, max(rest_s, min(SPARED * took, AT_LEAST_EVERY_S)))
                await _either(event, AT_LEAST_EVERY_S)
        finally:
            self._listeners.discard(event)

    async def _looked(self, look: Callable[[], Mapping[str, Html]], what: Hashable) -> Mapping[str, Html]:
        """What somebody who looks at the same has just found, or is about to find; else a look of our own."""
        now = monotonic()
        self._latest = {key: one for key, one in self._latest.items() if now - one[0] < SHARED_S}
        if what not in self._latest:
            if self._end.is_set():
                return {}
            found = asyncio.get_running_loop().run_in_executor(self._thread, look)
            self._latest[what] = now, found
        found = self._latest[what][1]
        await asyncio.wait([found])  # its end, not its fate: whoever goes away must not cancel it for others
        return {} if found.cancelled() else found.result()


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _event(changed: Mapping[str, Html]) -> bytes:
    plain = {name: str(html) for name, html in changed.items()}
    return b"event: change\ndata: " + msgspec.json.encode(plain) + b"\n\n"
