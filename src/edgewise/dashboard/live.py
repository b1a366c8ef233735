"""Server-sent events: what of a page has changed, soon after something was logged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from edgewise.dashboard.html import Html
    from edgewise.domain.decisions import Record

MOST_LISTENERS: Final = 64
SETTLE_S: Final = 0.05  # what is shown to an observer is on its way to the disk, not yet there
AT_LEAST_EVERY_S: Final = 5.0
RETRY: Final = b"retry: 2000\n\n"


class Bell:
    """Rings when something is logged. Without listeners a record costs a look at an empty set."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._end = asyncio.Event()

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

    async def follow(
        self, look: Callable[[], Mapping[str, Html]], *, rest_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Events with what changed since the last look, as JSON: HTML by the id of its element.

        `look` runs in a thread. A look that found nothing new sends a comment, so that a lost connection is
        noticed.
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
                found = await asyncio.to_thread(look)
                changed = {name: html for name, html in found.items() if known.get(name) != html}
                known.update(changed)
                yield _event(changed) if changed else b":\n\n"
                await _either(self._end, rest_s)
                await _either(event, AT_LEAST_EVERY_S)
        finally:
            self._listeners.discard(event)


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _event(changed: Mapping[str, Html]) -> bytes:
    plain = {name: str(html) for name, html in changed.items()}
    return b"event: change\ndata: " + msgspec.json.encode(plain) + b"\n\n"
