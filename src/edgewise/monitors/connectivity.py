"""The way to each endpoint: learned from our own calls, probed only where those say too little."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from edgewise.domain.addresses import is_loopback
from edgewise.domain.signals import Reading
from edgewise.monitors.clock import Clock, SystemClock
from edgewise.monitors.probe import handshake
from edgewise.monitors.reach import Patience, Reach

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from edgewise.domain.calls import Call
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.signals import Signals, State
    from edgewise.monitors.board import Board
    from edgewise.upstreams.watched import Watched

    Probe = Callable[[str, int], Awaitable[float | None]]

logger = logging.getLogger(__name__)
TICK_S = 0.5
PORTS = {"http": 80, "https": 443}
SOURCE_CALLS, SOURCE_PROBE, SOURCE_SYSTEM = "calls", "probe", "TCP_INFO"


@dataclass(slots=True)
class _Endpoint:
    """One candidate's endpoint: where it is, what is known of the way there, and what was read last."""

    candidate: str
    host: str
    port: int
    reach: Reach
    first_byte_s: float | None = None
    probing: asyncio.Task[None] | None = None
    told: State = "unknown"


class Connectivity:
    """Puts `online:ID`, `rtt_s:ID`, `first_byte_s:ID` and `failures:ID` on the board.

    Candidates that run in this process, and those behind a proxy, are left out: nobody can probe them.
    `report` takes every call as it happens; `follow` looks after the rest, twice a second. Belongs to one
    event loop.
    """

    def __init__(  # noqa: PLR0913 - what a test replaces
        self,
        candidates: Iterable[Candidate],
        board: Board,
        *,
        watched: Mapping[str, Watched] | None = None,
        clock: Clock | None = None,
        probe: Probe = handshake,
        patience: Patience | None = None,
    ) -> None:
        self._board, self._watched, self._probe = board, dict(watched or {}), probe
        self._elapsed = (SystemClock() if clock is None else clock).elapsed
        self._endpoints = {
            c.id: _Endpoint(c.id, *place, Reach(patience or Patience()))
            for c in candidates
            if (place := _place(c.endpoint))
        }

    def watch(self, upstream: Watched) -> None:
        """Look after this upstream's calls too."""
        self._watched[upstream.candidate_id] = upstream

    def report(self, call: Call) -> None:
        """Take in one call. A change for the worse is on the board before this returns."""
        endpoint = self._endpoints.get(call.candidate)
        if endpoint is None:
            return
        now = self._elapsed()
        endpoint.reach.called(now, call.fault)
        if call.first_byte_s is not None:
            endpoint.first_byte_s = call.first_byte_s
        state = endpoint.reach.state(now)
        if call.fault is not None or state != endpoint.told:
            self._tell(endpoint, now, SOURCE_CALLS)

    async def follow(self) -> None:
        """Keep the board up to date until cancelled; probes under way end with it."""
        try:
            while True:
                try:
                    self.tick()
                except Exception:
                    logger.exception("Looking after the endpoints failed once; it goes on.")
                await asyncio.sleep(TICK_S)
        finally:
            probing = [one.probing for one in self._endpoints.values() if one.probing is not None]
            for probe in probing:
                probe.cancel()
            # A loop that stops before they have hung up leaks their sockets.
            await asyncio.gather(*probing, return_exceptions=True)

    def tick(self) -> None:
        """Begin the probes that are due, and tell what is known. `follow` calls this."""
        now = self._elapsed()
        for endpoint in self._endpoints.values():
            self._tell(endpoint, now, SOURCE_CALLS)
            watched = self._watched.get(endpoint.candidate)
            waiting = None if watched is None else watched.waiting_since
            if endpoint.probing is None and endpoint.reach.wants_probe(now, waiting):
                endpoint.probing = asyncio.create_task(self._look(endpoint))

    async def _look(self, endpoint: _Endpoint) -> None:
        """Probe once; after a first failure at once again, so that it is soon known for sure."""
        try:
            for _ in range(endpoint.reach.patience.proof):
                took = await self._probe(endpoint.host, endpoint.port)
                now = self._elapsed()
                endpoint.reach.probed(now, reached=took is not None)
                self._tell(endpoint, now, SOURCE_PROBE, rtt_s=took)
                if took is not None or endpoint.reach.online is False:
                    return
        finally:
            endpoint.probing = None

    def _tell(self, endpoint: _Endpoint, now: float, source: str, *, rtt_s: float | None = None) -> None:
        name, reach = endpoint.candidate, endpoint.reach
        found: list[Reading] = []
        if rtt_s is not None:
            found.append(Reading(f"rtt_s:{name}", rtt_s, "s", source))
        elif (watched := self._watched.get(name)) is not None and (measured := watched.rtt_s) is not None:
            found.append(Reading(f"rtt_s:{name}", measured, "s", SOURCE_SYSTEM))
        if endpoint.first_byte_s is not None:
            found.append(Reading(f"first_byte_s:{name}", endpoint.first_byte_s, "s", SOURCE_CALLS))
            endpoint.first_byte_s = None
        if (loss := reach.loss(now)) is not None:
            found.append(Reading(f"failures:{name}", loss, "share", SOURCE_CALLS))
        if found:
            self._board.put(found)
        state = _worse(reach.state(now), self._board.read(), name)
        value = None if state == "unknown" else float(state != "critical")
        self._board.put((Reading(f"online:{name}", value, "", source, state),))
        endpoint.told = reach.state(now)


def _worse(state: State, signals: Signals, name: str) -> State:
    """The state of the way, with its round trip counted: a slow one is constrained."""
    rtt = signals.get(f"rtt_s:{name}")
    slow = rtt is not None and rtt.state in ("constrained", "critical")
    return "constrained" if state == "normal" and slow else state


def _place(endpoint: str) -> tuple[str, int] | None:
    """Host and port of a URL; None for none, and for what a proxy stands before."""
    address = urlsplit(endpoint)
    host = address.hostname
    if not host:
        return None
    proxies = getproxies()
    if not is_loopback(host) and (address.scheme in proxies or "all" in proxies) and not proxy_bypass(host):
        return None
    return host, address.port or PORTS.get(address.scheme, 443)
