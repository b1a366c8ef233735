"""From a decision to an answer.

What goes out is on disk first: a decision is committed before the first byte of its answer, the
outcome before the last. For a plain answer both go into one commit.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from edgewise.domain.decisions import Outcome
from edgewise.domain.errors import EdgewiseError, UpstreamError
from edgewise.domain.wire import error_event
from edgewise.execution.asking import Asking
from edgewise.execution.cascade import Cascade, Second
from edgewise.execution.circuits import Circuits
from edgewise.execution.fallback import Fallback
from edgewise.execution.flight import MISTAKE, Flight
from edgewise.execution.retries import RetryBudget
from edgewise.settings import ExecutionSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Attempt, Decision
    from edgewise.domain.errors import NoEligibleCandidate
    from edgewise.domain.labels import Said
    from edgewise.domain.protocols import OutcomeLog, Upstream
    from edgewise.domain.requests import Request
    from edgewise.execution.asking import Landed, Stream
    from edgewise.execution.energy import Share

logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A decision and the bytes that answer it: `body` at once, or `pieces` of a stream.

    Where somebody else than the chosen one answered, `decision` says so here (its `chosen`, `location` and
    `reason`); the log keeps the decision as it was drawn, and its outcome says who answered. `pieces` must be
    exhausted or closed with `aclose()`, which cancels the call. `said` is what a classifier said of the
    text, and `outcome` what the log keeps of it all; both only where the whole answer is here.
    """

    decision: Decision
    body: bytes | None = None
    pieces: AsyncGenerator[bytes, None] | None = None
    said: Said | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Executor:
    """Asks the chosen candidate, others in its place where that fails, and writes down what came of it.

    `candidates` are those that may take over; without them only the chosen one is asked. `shares` count the
    joules of those that can be measured.
    """

    upstreams: Mapping[str, Upstream]
    log: OutcomeLog
    keep_text: bool = True
    candidates: Mapping[str, Candidate] = field(default_factory=dict[str, "Candidate"])
    limits: ExecutionSettings = field(default_factory=ExecutionSettings)
    circuits: Circuits = field(default_factory=Circuits)
    budget: RetryBudget | None = None
    shares: Mapping[str, Share] = field(default_factory=dict[str, "Share"])

    _fallback: Fallback = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        asking = Asking(self.upstreams, self.limits, self.keep_text, shares=self.shares)
        budget = self.budget or RetryBudget(self.limits.retry_share)
        object.__setattr__(
            self, "_fallback", Fallback(asking, self.candidates, self.limits, self.circuits, budget)
        )

    async def carry_out(
        self,
        decision: Decision,
        candidate: Candidate,
        request: Request,
        *,
        arrived: float,
        second: Second | None = None,
    ) -> Answer:
        """Answer the request, or raise `UpstreamError` after its failure was recorded.

        With a `second` decision an edge's answer is held back until that was made, and it is the one that is
        recorded.
        """
        wait_s = self.limits.total_s
        if (wished := request.wishes.deadline_s) is not None:
            wait_s = min(wait_s, max(0.0, wished - decision.micros * 1e-6))
        now = asyncio.get_running_loop().time()
        flight = Flight(decision, request, arrived, now + wait_s)
        if second is not None:
            flight.held_until = now + second.hold_s
        committed = self._begun(flight) if request.stream and second is None else None
        try:
            landed = await self._fallback.answered(flight, candidate)
            if second is not None:
                landed = await Cascade(self._fallback).settled(flight, landed, second)
        except asyncio.CancelledError:
            self._record(flight, flight.abandoned(candidate))
            raise
        except Exception as error:
            await self._record(flight, flight.failed(candidate, _told(error)))
            raise
        if landed.stream is None:
            return await self._whole(flight, landed)
        try:
            await (self._begun(flight) if committed is None else committed)
        except asyncio.CancelledError:
            self._left(flight, landed, landed.stream)
            await landed.stream.aclose()
            raise
        except BaseException:
            await landed.stream.aclose()
            raise
        pieces = self._relay(flight, landed, landed.stream)
        await anext(pieces)  # from here on, closing it early is noticed
        return Answer(_as_answered(flight, landed), pieces=pieces)

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

    def _begun(self, flight: Flight) -> Awaitable[None]:
        """Write a stream's decision down, before its answer begins."""
        flight.is_begun = True
        return self.log.append(flight.decision)

    def _record(self, flight: Flight, outcome: Outcome) -> Awaitable[None]:
        """Write the end down; the decision may be on its way to the disk already."""
        if flight.is_begun:
            return self.log.append(outcome)
        return self.log.append(flight.decision, outcome)

    async def _whole(self, flight: Flight, landed: Landed) -> Answer:
        response = landed.text if self.keep_text else None
        outcome = flight.landed(landed.call.candidate, landed.succeeded(), response=response)
        await self.log.append(flight.decision, outcome)
        return Answer(_as_answered(flight, landed), landed.body, said=landed.said, outcome=outcome)

    async def _relay(self, flight: Flight, landed: Landed, stream: Stream) -> AsyncGenerator[bytes, None]:
        """First an empty piece, then the client's own."""
        failure: str | None = None
        meter, wait, step = stream.meter, stream.wait, stream.pieces.__anext__
        time_of = asyncio.get_running_loop().time
        by = min(time_of() + stream.idle_s, stream.ends_at)
        try:
            yield b""
            ready = stream.head
            while True:
                if ready:
                    yield ready
                    by = min(time_of() + stream.idle_s, stream.ends_at)
                if meter.done or meter.error:
                    break
                wait.begin(by)
                ready = meter.feed(await step())
                wait.over()
        except StopAsyncIteration:
            pass
        except (asyncio.CancelledError, GeneratorExit) as ended:
            if not wait.is_late():
                flight.was_ended(ended)
                self._left(flight, landed, stream)
                raise
            failure = stream.silence(by)
        except Exception as error:  # the client has an answer's beginning: it gets an end, too
            if not isinstance(error, EdgewiseError):
                logger.exception("A stream failed in a way that we did not foresee.")
            failure = str(_told(error))
        finally:
            await stream.aclose()
        yield await self._ending(flight, landed, stream, stream.meter.error or failure)

    def _left(self, flight: Flight, landed: Landed, stream: Stream) -> None:
        """Write down that the client has gone; what it got until then is paid for."""
        call, meter = landed.call, stream.meter
        if landed.attempt is not None:
            self.log.append(flight.left(call.candidate, landed.attempt))
            return
        came = meter.estimated_tokens() if meter.started else 0
        self.circuits.let_go(call.candidate.id, call.epoch)
        self.log.append(flight.landed(call.candidate, call.abandoned(usage=meter.usage, guessed_tokens=came)))

    async def _ending(self, flight: Flight, landed: Landed, stream: Stream, problem: str | None) -> bytes:
        """Write the outcome down, then let the end of the stream go."""
        call, meter = landed.call, stream.meter
        name = call.candidate.id
        end = meter.finish() if problem is None or meter.done else b""
        if not end:
            problem = problem or f"{name} ended its stream without [DONE]."
            self.circuits.failed(name, call.epoch, UpstreamError(problem), perf_counter() - call.asked)
            attempt: Attempt = call.broke(
                problem, began=True, usage=meter.usage, guessed_tokens=meter.estimated_tokens()
            )
            await self.log.append(flight.landed(call.candidate, attempt))
            return error_event(problem, code="incomplete_stream")
        if landed.attempt is None:
            self.circuits.succeeded(name, call.epoch)
        attempt = landed.succeeded()
        text = meter.text() if self.keep_text else None
        await self.log.append(flight.landed(call.candidate, attempt, response=text))
        return end


def _as_answered(flight: Flight, landed: Landed) -> Decision:
    """The decision as the client is told of it: who really answered, and why."""
    decision, candidate = flight.decision, landed.call.candidate
    if candidate.id == decision.chosen:
        return decision
    return replace(
        decision,
        chosen=candidate.id,
        location=candidate.location,
        simulated=candidate.simulated,
        reason=flight.reason,
    )


def _told(error: Exception) -> Exception:
    """What may be said of an error: what we did not foresee goes to our own log only."""
    return error if isinstance(error, EdgewiseError) else EdgewiseError(MISTAKE)
