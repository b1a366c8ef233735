"""From a decision to an answer.

What goes out is on disk first: a decision is committed before the first byte of its answer, the
outcome before the last. For a plain answer both go into one commit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from edgewise.domain.decisions import Outcome
from edgewise.domain.errors import UpstreamError
from edgewise.domain.wire import error_event
from edgewise.execution.flight import Flight
from edgewise.upstreams.reading import Meter, read_plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Decision
    from edgewise.domain.errors import NoEligibleCandidate
    from edgewise.domain.protocols import OutcomeLog, Upstream
    from edgewise.domain.requests import Request

CHARACTERS_PER_TOKEN = 4


class Answer(NamedTuple):
    """A decision and the bytes that answer it: `body` at once, or `pieces` of a stream.

    `pieces` must be exhausted or closed with `aclose()`, which cancels the call.
    """

    decision: Decision
    body: bytes | None = None
    pieces: AsyncGenerator[bytes, None] | None = None


@dataclass(frozen=True, slots=True)
class Executor:
    """Asks the chosen candidate and writes down what came of it."""

    upstreams: Mapping[str, Upstream]
    log: OutcomeLog
    keep_text: bool = True

    async def carry_out(
        self, decision: Decision, candidate: Candidate, request: Request, *, arrived: float
    ) -> Answer:
        """Answer the request, or raise `UpstreamError` after its failure was recorded."""
        flight = Flight(decision, candidate, request, arrived, perf_counter())
        if request.stream:
            return await self._streamed(flight)
        try:
            body = await self.upstreams[candidate.id].ask(request)
        except UpstreamError as error:
            await self.log.append(decision, flight.broke(error, began=False))
            raise
        except asyncio.CancelledError:
            self.log.append(decision, flight.abandoned())
            raise
        if not isinstance(body, bytes):  # an upstream that streams where nobody asked for it
            body = b"".join([piece async for piece in body])
        flight.first_content()
        reading = read_plain(body)
        if reading.error is not None:
            await self.log.append(decision, flight.broke(reading.error, began=False, usage=reading.usage))
            raise UpstreamError(f"{candidate.id}: {reading.error}")
        guess = max(1, len(reading.text) // CHARACTERS_PER_TOKEN)
        text = reading.text if self.keep_text else None
        await self.log.append(decision, flight.succeeded(reading.usage, guess, text))
        return Answer(decision, body=body)

    async def refuse(self, decision: Decision, refused: NoEligibleCandidate, *, arrived: float) -> None:
        """Record a request that nobody may answer."""
        outcome = Outcome(
            decision_id=decision.id,
            at=time(),
            status="error",
            candidate="",
            latency_s=perf_counter() - arrived,
            cost_usd=0.0,
            cost_state="billed",
            error=str(refused),
        )
        await self.log.append(decision, outcome)

    async def _streamed(self, flight: Flight) -> Answer:
        committed = self.log.append(flight.decision)
        try:
            pieces = await self.upstreams[flight.candidate.id].ask(flight.request)
        except UpstreamError as error:
            await self.log.append(flight.broke(error, began=False))
            raise
        except asyncio.CancelledError:
            self.log.append(flight.abandoned())
            raise
        if isinstance(pieces, bytes):  # an upstream that does not stream where it was asked to
            pieces = _events(pieces)
        try:
            await committed
        except BaseException:
            await pieces.aclose()
            raise
        return Answer(flight.decision, pieces=self._relay(flight, pieces))

    async def _relay(
        self, flight: Flight, pieces: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        meter = Meter(wants_usage=flight.request.wants_usage, keep_text=self.keep_text)
        try:
            async for piece in pieces:
                ready = meter.feed(piece)
                if flight.ttft_s is None and meter.started:
                    flight.first_content()
                if ready:
                    yield ready
                if meter.done or meter.error:
                    break
        except UpstreamError as error:
            meter.error = meter.error or str(error)
        except (asyncio.CancelledError, GeneratorExit):
            came = meter.estimated_tokens() if meter.started else 0
            self.log.append(flight.abandoned(usage=meter.usage, guessed_tokens=came))
            raise
        finally:
            await pieces.aclose()
        yield await self._ending(flight, meter)

    async def _ending(self, flight: Flight, meter: Meter) -> bytes:
        """Write the outcome down, then let the end of the stream go."""
        end = meter.finish()
        if flight.ttft_s is None and meter.started:  # it came whole
            flight.first_content()
        if not end:
            problem = meter.error or f"{flight.candidate.id} ended its stream without [DONE]."
            guess = meter.estimated_tokens()
            await self.log.append(flight.broke(problem, began=True, usage=meter.usage, guessed_tokens=guess))
            return error_event(problem, code="incomplete_stream")
        text = meter.text() if self.keep_text else None
        await self.log.append(flight.succeeded(meter.usage, meter.estimated_tokens(), text))
        return end


async def _events(whole: bytes) -> AsyncGenerator[bytes, None]:
    yield whole
