"""Texts that are asked for at the same time go together: each caller gets its own answer all the same."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from edgewise.domain.requests import Request

    Run = Callable[[Sequence[Request]], Awaitable[Sequence[bytes | Exception]]]


@dataclass(slots=True, eq=False)
class _Seat:
    """One caller: what it asks, what it waits for, and the run that it is in once that has begun."""

    request: Request
    place: asyncio.Future[bytes]
    run: _Running | None = None


@dataclass(slots=True, eq=False)
class _Running:
    seats: list[_Seat]
    task: asyncio.Task[None] | None = None


class Together:
    """Hands what gathers to `run`, up to `most` at a time and `at_once` runs beside each other, in order.

    A run that fails fails for all who are in it; one whose every caller has gone is cancelled. Belongs to
    one event loop at a time.
    """

    def __init__(self, run: Run, *, most: int, at_once: int = 1) -> None:
        self._run, self._most, self._at_once = run, most, at_once
        self._waiting: deque[_Seat] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_called = False

    async def ask(self, request: Request) -> bytes:
        """The answer to one request. Raises what its run does."""
        loop = asyncio.get_running_loop()
        seat = _Seat(request, loop.create_future())
        self._waiting.append(seat)
        if not self._is_called:  # once all who ask in this turn of the loop are there
            self._is_called = True
            loop.call_soon(self._begin)
        try:
            return await seat.place
        finally:
            run = seat.run
            if run is not None and run.task is not None and all(s.place.cancelled() for s in run.seats):
                run.task.cancel()

    async def aclose(self) -> None:
        """End what is under way."""
        running = list(self._under_way)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self) -> None:
        self._is_called = False
        while self._waiting and len(self._under_way) < self._at_once:
            seats: list[_Seat] = []
            while self._waiting and len(seats) < self._most:
                seat = self._waiting.popleft()
                if not seat.place.done():
                    seats.append(seat)
            if not seats:
                return
            running = _Running(seats)
            for seat in seats:
                seat.run = running
            running.task = asyncio.get_running_loop().create_task(self._answer(seats))
            self._under_way.add(running.task)
            running.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._begin()

    async def _answer(self, seats: list[_Seat]) -> None:
        found: Sequence[bytes | Exception]
        try:
            found = await self._run([seat.request for seat in seats])
        except asyncio.CancelledError:
            for seat in seats:
                seat.place.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever asked deals with it
            found = [error] * len(seats)
        for seat, answer in zip(seats, found, strict=True):
            if seat.place.done():
                continue
            if isinstance(answer, Exception):
                seat.place.set_exception(answer)
            else:
                seat.place.set_result(answer)
