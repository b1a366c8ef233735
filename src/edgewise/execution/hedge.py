"""Two calls for one request: the second begins after a while, and the first answer counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgewise.execution.asking import Landed
    from edgewise.execution.flight import Flight


async def raced(
    flight: Flight,
    first: Awaitable[Landed],
    after_s: float,
    begin: Callable[[], Awaitable[Landed] | None],
) -> Landed:
    """The answer of whichever comes first. `begin` starts the second after `after_s`, or gives None.

    A failure counts only where the other has failed, too; the first one's is then raised. What is cut off
    has its place, and its estimated cost, among the flight's attempts before this returns.
    """
    mine = asyncio.ensure_future(first)
    running: set[asyncio.Future[Landed]] = {mine}
    try:
        await asyncio.wait(running, timeout=after_s)
        if not mine.done() and (second := begin()) is not None:
            running.add(asyncio.ensure_future(second))
        waiting = set(running)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: task is not mine):
                if task.exception() is None:
                    flight.is_won = True
                    running.discard(task)
                    return task.result()
        return mine.result()
    finally:
        await _cut_off(flight, running)


async def _cut_off(flight: Flight, losers: set[asyncio.Future[Landed]]) -> None:
    """Hang up on whoever has not won; one that had an answer all the same is paid for."""
    for task in losers:
        task.cancel()
    for told in await asyncio.gather(*losers, return_exceptions=True):
        if isinstance(told, BaseException):
            continue
        flight.attempts.append(told.call.cut_off())
        if told.stream is not None:
            await told.stream.aclose()
