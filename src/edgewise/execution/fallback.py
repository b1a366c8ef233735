"""Ask one candidate after the other, or two at once, until one answers: within odds, budget and time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from math import inf
from random import Random, SystemRandom
from time import perf_counter
from typing import TYPE_CHECKING

from edgewise.domain.errors import CircuitOpen, EdgewiseError, UpstreamError, UpstreamRefused, UpstreamTimeout
from edgewise.execution.flight import MISTAKE, Call
from edgewise.execution.hedge import raced
from edgewise.execution.plan import others
from edgewise.execution.retries import (
    LONGEST_RETRY_AFTER_S,
    TOO_MANY,
    backoff_s,
    may_ask_again,
    may_ask_another,
    retry_after_s,
    was_asked,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.execution.asking import Asking, Landed
    from edgewise.execution.circuits import Circuits
    from edgewise.execution.flight import Flight
    from edgewise.execution.retries import RetryBudget
    from edgewise.settings import ExecutionSettings


@dataclass(frozen=True, slots=True)
class Fallback:
    """Finds an answer for a flight. `sleep` and `dice` are what a test replaces."""

    asking: Asking
    candidates: Mapping[str, Candidate]
    limits: ExecutionSettings
    circuits: Circuits
    budget: RetryBudget
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Random = field(default_factory=SystemRandom)

    async def answered(self, flight: Flight, chosen: Candidate) -> Landed:
        """The first answer: the chosen one's, if that can give any.

        Raises what the first that was asked failed with, where nobody else could answer either.
        """
        self.budget.earn()
        current, tries = chosen, 0
        rest: list[Candidate] | None = None
        first: EdgewiseError | None = None
        hedge = self.limits.hedge
        while True:
            error: EdgewiseError | None = None
            if hedge or not self.circuits.is_closed(current.id):
                rest = self._others(flight, chosen) if rest is None else rest
                may_probe = not rest or self.budget.has_one()
                error = self.circuits.refusal(current.id, last=not rest, may_probe=may_probe)
            try:
                if error is None:
                    alone = not hedge or first is not None
                    return await (
                        self._ask(flight, current) if alone else self._hedged(flight, current, rest)
                    )
            except EdgewiseError as failed:
                error = failed
            first = error if first is None else _telling(first, error)
            rest = self._others(flight, chosen) if rest is None else rest
            following = await self._following(flight, current, error, rest, tries)
            if following is None:
                raise _verdict(flight, first)
            tries = tries + 1 if following is current else 0
            current = following

    def _others(self, flight: Flight, chosen: Candidate) -> list[Candidate]:
        """Who may take over; a request's own word goes before the configuration's."""
        if not self.limits.fallback and flight.request.wishes.fallback is None:
            return []
        return others(flight.decision, chosen, flight.request, self.candidates)

    async def _following(
        self,
        flight: Flight,
        current: Candidate,
        error: EdgewiseError,
        rest: list[Candidate],
        tries: int,
    ) -> Candidate | None:
        """Whom to ask next, once it is time to; None where it ends here."""
        now = asyncio.get_running_loop().time()
        if now >= flight.ends_at or not may_ask_another(error):
            return None
        pause_s = None if rest else self._pause_s(flight, current, error, tries)
        if not rest and (pause_s is None or now + pause_s >= flight.ends_at):
            return None
        if was_asked(error) and not self.budget.spend():
            return None
        if rest:
            return rest.pop(0)
        await self.sleep(pause_s or 0.0)
        return current

    def _pause_s(self, flight: Flight, current: Candidate, error: EdgewiseError, tries: int) -> float | None:
        """How long to wait before the same candidate is asked again; None where it is not to be."""
        if tries >= self.limits.retries or flight.decision.shadow_of is not None or not may_ask_again(error):
            return None
        limited = isinstance(error, UpstreamRefused) and error.status == TOO_MANY
        if not limited and not self.circuits.is_closed(current.id):
            return None
        said = retry_after_s(error.retry_after) if isinstance(error, UpstreamRefused) else None
        if said is not None and said > LONGEST_RETRY_AFTER_S:
            return None
        return (said or 0.0) + backoff_s(self.dice, tries)

    async def _hedged(self, flight: Flight, current: Candidate, rest: list[Candidate] | None) -> Landed:
        """The answer of `current`, or of another that was asked beside it after a while."""
        partner, after_s = self._partner(flight, current, rest) if rest else (None, 0.0)
        if partner is None or rest is None:
            return await self._ask(flight, current)

        def begin() -> Awaitable[Landed] | None:
            if not self.circuits.is_closed(partner.id) or not self.budget.spend():
                return None
            rest.remove(partner)
            return self._ask(flight, partner)

        landed = await raced(flight, self._ask(flight, current), after_s, begin)
        if landed.call.candidate is partner:
            flight.reason = "hedge"
        return landed

    def _partner(
        self, flight: Flight, current: Candidate, rest: list[Candidate]
    ) -> tuple[Candidate | None, float]:
        """Who is asked beside `current`, of the other location, and after how many seconds."""
        after_s = self.limits.hedge_after_s
        if after_s is None:
            forecast = flight.decision.forecasts.get(current.id)
            if forecast is None or forecast.latency_s is None:
                return None, 0.0
            after_s = forecast.latency_s.high
        other = (c for c in rest if c.location != current.location and self.circuits.is_closed(c.id))
        return next(other, None), after_s

    async def _ask(self, flight: Flight, candidate: Candidate) -> Landed:
        """One call, told to the candidate's breaker; one that fails is among the flight's attempts."""
        name = candidate.id
        call = Call(flight, candidate, self.circuits.of(name).epoch)
        try:
            landed = await self.asking.ask(call)
        except asyncio.CancelledError as ended:
            flight.was_ended(ended)
            self.circuits.let_go(name, call.epoch)
            flight.attempts.append(call.cut_off() if flight.is_won else call.abandoned())
            raise
        except Exception as error:
            self.circuits.failed(name, call.epoch, error, perf_counter() - call.asked)
            told = error if isinstance(error, EdgewiseError) else MISTAKE
            flight.attempts.append(call.broke(told, began=False))
            raise
        if landed.stream is None:
            self.circuits.succeeded(name, call.epoch)
        return landed


def _telling(first: EdgewiseError, error: EdgewiseError) -> EdgewiseError:
    """Which of two errors says more: the first of a candidate that was asked, or who can be asked sooner."""
    if was_asked(first) or was_asked(error):
        return first if was_asked(first) else error
    if isinstance(first, CircuitOpen) and isinstance(error, CircuitOpen):
        return CircuitOpen(f"{first} {error}", retry_after_s=min(first.retry_after_s, error.retry_after_s))
    return min(first, error, key=lambda e: getattr(e, "retry_after_s", inf))


def _verdict(flight: Flight, first: EdgewiseError) -> EdgewiseError:
    """The error that the client gets."""
    is_late = asyncio.get_running_loop().time() >= flight.ends_at
    if is_late and not isinstance(first, UpstreamTimeout):
        first = UpstreamTimeout(f"There was no answer in time. First, {first}")
    if isinstance(first, UpstreamError):
        first.retried = len(flight.attempts) > 1
    return first
