"""An edge's answer, held back until somebody has read it: it goes out, or the cloud's in its place."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from edgewise.domain.answers import FirstAnswer
from edgewise.domain.errors import EdgewiseError, UpstreamError
from edgewise.domain.privacy import permits, promise_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Attempt, Decision
    from edgewise.domain.requests import Request
    from edgewise.execution.asking import Landed, Stream
    from edgewise.execution.fallback import Fallback
    from edgewise.execution.flight import Flight

logger = logging.getLogger(__name__)
MOST_HELD = 1_000_000  # bytes; what is longer is not kept whole, and goes out
LATE = "The edge's answer was held back for long enough, and went out."


class Second(NamedTuple):
    """How the second decision comes about: `decide` says who answers after all, and gets asked what.

    An answer is held back for `hold_s` seconds at most, counted from the first decision.
    """

    hold_s: float
    decide: Callable[[FirstAnswer], Awaitable[tuple[Decision, Request]]]


@dataclass(frozen=True, slots=True)
class Cascade:
    """Reads what an edge has answered, and asks the cloud where the second decision wants that.

    Whatever fails or is late after that, the edge's answer goes out.
    """

    fallback: Fallback

    async def settled(self, flight: Flight, landed: Landed, second: Second) -> Landed:
        """The one answer that the client gets: `landed`, which it has not seen yet, or the cloud's."""
        stream = landed.stream
        if landed.call.candidate.location != "edge" or (stream is not None and not stream.is_whole):
            return landed
        attempt = self._booked(flight, landed)
        landed = landed._replace(attempt=attempt)
        try:
            better = await self._better(flight, landed, second)
        except BaseException:  # the client has hung up
            if stream is not None:
                await stream.aclose()
            raise
        if better is None:
            flight.held_s = perf_counter() - flight.arrived
            return landed
        if stream is not None:
            await stream.aclose()
        return better

    def _booked(self, flight: Flight, landed: Landed) -> Attempt:
        """The edge's call, which is over: its time and its cost count, whoever answers."""
        call, stream = landed.call, landed.stream
        if stream is not None:
            self.fallback.circuits.succeeded(call.candidate.id, call.epoch)
        attempt = landed.succeeded()
        flight.attempts.append(attempt)
        return attempt

    async def _better(self, flight: Flight, landed: Landed, second: Second) -> Landed | None:
        """The answer of the cloud; None where the edge's stays, or nothing better comes in time."""
        first = landed.call.candidate
        try:
            decision, request = await second.decide(
                FirstAnswer(first.id, landed.text, took_s=landed.call.took_s, said=landed.said)
            )
        except Exception:  # the client has an answer: it shall have it
            logger.exception("An answer could not be read, and goes out.")
            return None
        flight.decision = decision
        cloud = self.fallback.candidates.get(decision.chosen)
        if cloud is None or cloud.id == first.id or not self._may_ask(flight, cloud):
            return None
        before, flight.request = flight.request, request
        found = await self._asked(flight, cloud)
        if found is None:
            flight.request = before
        return found

    def _may_ask(self, flight: Flight, cloud: Candidate) -> bool:
        """Whether this request may go there at all, whatever was decided, and whether that can be reached."""
        if flight.decision.shadow_of is not None or not permits(promise_of(flight.request), cloud):
            return False
        return self.fallback.circuits.refusal(cloud.id, last=False) is None

    async def _asked(self, flight: Flight, cloud: Candidate) -> Landed | None:
        """The cloud's answer, if it begins before the edge's has been held back for long enough."""
        by = min(flight.ends_at, flight.ends_at if flight.held_until is None else flight.held_until)
        asking = asyncio.ensure_future(self.fallback.ask(flight, cloud))
        try:
            wait_s = by - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait({asking}, timeout=max(0.0, wait_s))
        except asyncio.CancelledError as ended:
            flight.was_ended(ended)
            asking.cancel()
            await self._hung_up(flight, asking)
            raise
        ended_by, flight.ended = flight.ended, flight.ended if done else LATE
        if not done:
            asking.cancel()
        (told,) = await asyncio.gather(asking, return_exceptions=True)
        flight.ended = ended_by
        if not isinstance(told, BaseException):
            return told
        if not isinstance(told, EdgewiseError | asyncio.CancelledError):
            logger.error("The cloud could not be asked.", exc_info=told)
        return None

    async def _hung_up(self, flight: Flight, asking: asyncio.Future[Landed]) -> None:
        """Wait for the end of a call that nobody wants any more; one that had an answer is paid for."""
        (told,) = await asyncio.gather(asking, return_exceptions=True)
        if not isinstance(told, BaseException):
            flight.attempts.append(told.call.abandoned())
            if told.stream is not None:
                await told.stream.aclose()


async def held(stream: Stream, by: float) -> None:
    """Read a stream to its end, which makes it whole, or until the loop's time is `by`.

    What was read by then is its head, and what may still come its pieces. Raises `UpstreamError` where it
    breaks or falls silent; nobody has seen anything of it.
    """
    meter = stream.meter
    try:
        stream.is_whole = await _read(stream, by)
        if stream.is_whole and (meter.error or not meter.finish()):
            _refuse(meter.error or f"{stream.name} ended its stream without [DONE].")
    except BaseException:
        await stream.aclose()
        raise


async def _read(stream: Stream, by: float) -> bool:
    """Whether the stream came to its end; what was read of it is its head in any case."""
    loop, ready = asyncio.get_running_loop(), [stream.head]
    meter, pieces, size = stream.meter, stream.pieces, len(stream.head)
    step: asyncio.Future[bytes | None] | None = None
    try:
        while not (meter.done or meter.error) and size <= MOST_HELD:
            silent_at = min(loop.time() + stream.idle_s, stream.ends_at)
            step = asyncio.ensure_future(_next(pieces))
            done, _ = await asyncio.wait({step}, timeout=max(0.0, min(by, silent_at) - loop.time()))
            if not done and silent_at <= by:
                _refuse(stream.silence(silent_at))
            if not done:
                stream.pieces, step = _resumed(step, pieces), None
                return False
            piece = step.result()
            if piece is None:
                break
            ready.append(meter.feed(piece))
            size += len(ready[-1])
        return size <= MOST_HELD
    finally:
        await _dropped(step)
        stream.head = b"".join(ready)


def _refuse(problem: str) -> NoReturn:
    raise UpstreamError(problem)


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next piece; None at the end."""
    return await anext(pieces, None)


async def _resumed(
    step: asyncio.Future[bytes | None], pieces: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The piece that was waited for, and all that follow."""
    try:
        piece = await step
        while piece is not None:
            yield piece
            piece = await anext(pieces, None)
    finally:
        await _dropped(step)
        await pieces.aclose()


async def _dropped(step: asyncio.Future[bytes | None] | None) -> None:
    """Wait for nothing more: a generator cannot be closed while a piece of it is awaited."""
    if step is not None and not step.done():
        step.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await step
