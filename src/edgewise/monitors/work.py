"""What the candidates have to do just now: calls under way, waiting, loaded models, lately measured times."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Outcome
from edgewise.domain.signals import Reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from edgewise.domain.decisions import Record
    from edgewise.monitors.board import Board
    from edgewise.upstreams.watched import Watched

    Loaded = Callable[[], Awaitable[bool | None]]

TICK_S = 1.0
LOADED_EVERY = 15  # ticks
MEMORY_S = 60.0
TTL_S = 300.0


class Work:
    """Puts `in_flight:ID`, `queue_wait_s:ID`, `latency_s:ID` and `loaded:ID` on the board.

    `slots` are the calls that a candidate answers at a time, where that is known; `loaded` asks whether its
    model is in memory; `waits` say how long those in our own line for it will take to begin. The wait is how
    long the calls before a new one will take, each as long as answers lately took.
    """

    def __init__(
        self,
        board: Board,
        watched: Mapping[str, Watched],
        *,
        slots: Mapping[str, int] | None = None,
        loaded: Mapping[str, Loaded] | None = None,
        waits: Mapping[str, Callable[[], float]] | None = None,
    ) -> None:
        self._board, self._watched = board, watched  # which may grow until it is followed
        self._slots: Mapping[str, int] = {} if slots is None else slots
        self._loaded: Mapping[str, Loaded] = {} if loaded is None else loaded
        self._waits: Mapping[str, Callable[[], float]] = {} if waits is None else waits
        self._fresh: list[Reading] = []

    def observe(self, record: Record) -> None:
        """Learn from an outcome how long each whole answer took: in a cascade, there may be two."""
        if isinstance(record, Outcome) and record.status == "ok":
            self._fresh += [
                Reading(f"latency_s:{call.candidate}", call.latency_s, "s", "outcomes")
                for call in record.attempts
                if call.status == "ok"
            ]

    async def follow(self) -> None:
        """Keep the board up to date until cancelled."""
        ticks = 0
        while True:
            self.tick()
            if ticks % LOADED_EVERY == 0 and self._loaded:
                await self.look()
            ticks += 1
            await asyncio.sleep(TICK_S)

    def tick(self) -> None:
        """Tell what is known now."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            self._board.put(fresh, ttl_s=TTL_S)
        signals = self._board.read()
        found: list[Reading] = []
        for name, watched in self._watched.items():
            found.append(Reading(f"in_flight:{name}", float(watched.in_flight), "calls", "calls", "normal"))
            slots, lately = self._slots.get(name), signals.get(f"latency_s:{name}")
            wait = self._waits[name]() if name in self._waits else 0.0
            if slots is not None and lately is not None and lately.value is not None:
                wait += max(0, watched.in_flight - slots + 1) * lately.value / slots
            elif wait == 0.0 and f"queue_wait_s:{name}" not in signals:
                continue
            found.append(Reading(f"queue_wait_s:{name}", wait, "s", "calls", "normal"))
        self._board.put(found)

    async def look(self) -> None:
        """Ask which models are in memory."""
        found: list[Reading] = []
        for name, loaded in self._loaded.items():
            said = await loaded()
            found.append(Reading(f"loaded:{name}", None if said is None else float(said), "", "runtime"))
        self._board.put(found, ttl_s=3.0 * LOADED_EVERY * TICK_S)
