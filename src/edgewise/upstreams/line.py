"""Who may call a candidate now, who waits, and who is turned away: a line with an end."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from edgewise.domain.errors import Overloaded
from edgewise.upstreams.congestion import Congestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.requests import Priority

RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
LOWEST = RANKS["low"]
FEWEST_WAITING = 2
SMOOTHING = 0.1
UNKNOWN_S = 1.0  # how long a call takes, before one has ended


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many calls at first and at most, how many wait for each of them, and for how long."""

    in_flight: int = 128
    most: int = 1024
    adaptive: bool = True
    waiting: float = 1.0
    max_wait_s: float = 30.0


class Line:
    """In front of one candidate: at most `limit` calls at a time; further ones wait in order of priority.

    As many wait as `bounds` say, low ones only in the first half of the line; where it is full, a newcomer
    takes the place of the last one with a lower priority, or is turned away with `Overloaded`. `tell` hears
    whenever the line becomes full, or is full no longer. Belongs to one event loop.
    """

    def __init__(
        self,
        name: str,
        bounds: Bounds,
        *,
        tell: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name, self._bounds, self._tell, self._clock = name, bounds, tell, clock
        self.congestion = Congestion(bounds.in_flight, most=bounds.most)
        self.in_flight = 0
        self.waiting = 0
        self._ranks: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque(), deque())
        self._takes_s = 0.0
        self._was_full = False

    @property
    def limit(self) -> int:
        """How many calls may be under way."""
        return self.congestion.limit

    @property
    def room(self) -> int:
        """How many requests may wait."""
        per_call = self._bounds.waiting
        return max(FEWEST_WAITING, int(per_call * self.limit)) if per_call > 0 else 0

    @property
    def is_full(self) -> bool:
        """Whether a request of normal priority would be turned away."""
        return self.in_flight >= self.limit and self.waiting >= self.room

    def wait_s(self, ahead: int | None = None) -> float:
        """How long `ahead` requests in line will take to begin, as fast as calls lately ended."""
        ahead = self.waiting if ahead is None else ahead
        return ahead * (self._takes_s or UNKNOWN_S) / self.limit

    async def enter(self, priority: Priority, patience_s: float | None = None) -> float:
        """Wait for a place; `leave` must follow. Returns when the call began. Raises `Overloaded`."""
        if self.in_flight < self.limit and not self.waiting:
            self.in_flight += 1
            if not self._bounds.waiting:
                self._look()
        else:
            longest = self._bounds.max_wait_s
            await self._wait(RANKS[priority], longest if patience_s is None else min(longest, patience_s))
        return self._clock()

    def leave(self, began: float) -> None:
        """A call has ended that began at `began`."""
        took = self._clock() - began
        self._takes_s += (took - self._takes_s) * (SMOOTHING if self._takes_s else 1.0)
        self._free()

    def learn(self, began: float, size: float = 1.0, *, stream: bool = False) -> None:
        """A call that began at `began` has brought an answer of this size, or the first piece of a stream."""
        if self._bounds.adaptive:
            now = self._clock()
            self.congestion.took((now - began) / size, self.in_flight, now, stream=stream)

    def refused(self) -> None:
        """The candidate said that it was too much."""
        if self._bounds.adaptive:
            self.congestion.refused(self.in_flight)

    async def _wait(self, rank: int, patience_s: float) -> None:
        if self.wait_s() > patience_s or not self._has_room(rank):
            raise self._overloaded()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ranks[rank].append(place)
        self._count(1)
        timer = place.get_loop().call_later(patience_s, self._turn_away, rank, place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                if place in self._ranks[rank]:  # a call that has just ended may have passed over it already
                    self._ranks[rank].remove(place)
                    self._count(-1)
            elif place.exception() is None:  # its turn had come already
                self._free()
            raise
        finally:
            timer.cancel()

    def _has_room(self, rank: int) -> bool:
        """Whether one more may wait, if need be in place of one with a lower priority."""
        if self.waiting < (self.room // 2 if rank == LOWEST else self.room):
            return True
        for lower in range(LOWEST, rank, -1):
            if self._ranks[lower]:
                self._turn_away(lower, self._ranks[lower][-1])
                return True
        return False

    def _turn_away(self, rank: int, place: asyncio.Future[None]) -> None:
        if not place.done():
            self._ranks[rank].remove(place)
            self._count(-1)
            place.set_exception(self._overloaded())

    def _free(self) -> None:
        """One call fewer is under way: whoever is next may go."""
        self.in_flight -= 1
        while self.waiting and self.in_flight < self.limit:
            place = next(places for places in self._ranks if places).popleft()
            self._count(-1)
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
        self._look()

    def _count(self, more: int) -> None:
        self.waiting += more
        self._look()

    def _look(self) -> None:
        if self.is_full is not self._was_full:
            self._was_full = self.is_full
            self._tell(self._was_full)

    def _overloaded(self) -> Overloaded:
        wait_s = self.wait_s(self.waiting + 1)
        return Overloaded(
            f"{self.name} was not asked: {self.in_flight} calls are under way and {self.waiting} wait; "
            f"try again in about {max(1.0, wait_s):.0f} s.",
            retry_after_s=wait_s,
        )
