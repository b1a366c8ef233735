"""One request on its way: the calls that were made for it, and the outcome that its end makes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Attempt, Outcome
from edgewise.domain.energy import energy_of
from edgewise.domain.errors import UpstreamRefused

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import CostState, Decision, OutcomeStatus, Reason
    from edgewise.domain.energy import EnergyBasis
    from edgewise.domain.labels import Gist, Said
    from edgewise.domain.requests import Request
    from edgewise.execution.energy import Share, Ticket
    from edgewise.upstreams.reading import Usage

HTTP_OK = 200
CUT_OFF = "Another candidate was faster."
MISTAKE = "Edgewise made a mistake; its own log says more."


@dataclass(slots=True)
class Flight:
    """What is known of a request while it is answered. `arrived` is in `perf_counter` seconds.

    `attempts` are the calls that have ended, in that order; `reason` is why somebody else than the chosen
    one answers, where that is so; `is_won` says that another call has an answer already, `is_begun` that
    the decision is on its way to the disk. The loop's time must not pass `ends_at`. An edge's answer is held
    back, for a second decision, until that time is `held_until`; it went out after `held_s` seconds.
    """

    decision: Decision
    request: Request
    arrived: float
    ends_at: float
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    reason: Reason = "fallback"
    is_won: bool = False
    ended: str | None = None
    is_begun: bool = False
    held_until: float | None = None
    held_s: float = 0.0

    def failed(self, candidate: Candidate, error: Exception) -> Outcome:
        """The outcome where no call brought an answer, or none was made."""
        return self._outcome(candidate, self._last(candidate, error), "error", str(error), None)

    def abandoned(self, candidate: Candidate) -> Outcome:
        """The outcome of a client that hung up before it was answered."""
        last = self._last(candidate, None)
        return self._outcome(candidate, last, "cancelled", last.error or self.hung_up, None)

    def was_ended(self, how: BaseException) -> None:
        """Note what the cancellation says of itself; one without words is a client's."""
        if isinstance(how, asyncio.CancelledError) and how.args and isinstance(how.args[0], str):
            self.ended = how.args[0]

    @property
    def hung_up(self) -> str:
        """Who ended it: a client, or the end of Edgewise."""
        if self.ended is not None:
            return self.ended
        return "The client hung up." if self.decision.shadow_of is None else "Edgewise was ended."

    def landed(self, candidate: Candidate, attempt: Attempt, *, response: str | None = None) -> Outcome:
        """The outcome that this call makes: the last one, or one that was over before the last."""
        if not any(attempt is known for known in self.attempts):
            self.attempts.append(attempt)
        return self._outcome(candidate, attempt, attempt.status, attempt.error, response)

    def left(self, candidate: Candidate, attempt: Attempt) -> Outcome:
        """The outcome of a client that hung up while an answer that was whole went out."""
        return self._outcome(candidate, attempt, "cancelled", self.hung_up, None)

    def _last(self, candidate: Candidate, error: Exception | None) -> Attempt:
        """The last call; where none was made, a stand-in that cost nothing."""
        if self.attempts:
            return self.attempts[-1]
        free = candidate.price is not None
        return Attempt(
            candidate=candidate.id,
            status="cancelled" if error is None else "error",
            started_s=0.0,
            latency_s=0.0,
            cost_usd=0.0 if free else None,
            cost_state="estimated" if free else "unpriced",
        )

    def _outcome(
        self,
        candidate: Candidate,
        last: Attempt,
        status: OutcomeStatus,
        error: str | None,
        response: str | None,
    ) -> Outcome:
        cost, state = self._cost(last)
        ttft = None if last.ttft_s is None else max(last.started_s + last.ttft_s, self.held_s)
        return Outcome(
            decision_id=self.decision.id,
            at=time(),
            status=status,
            candidate=candidate.id,
            latency_s=perf_counter() - self.arrived,
            ttft_s=ttft,
            input_tokens=last.input_tokens,
            output_tokens=last.output_tokens,
            cost_usd=cost,
            cost_state=state,
            error=error,
            response=response,
            attempts=tuple(self.attempts),
            energy_j=self._energy(last),
        )

    def _energy(self, last: Attempt) -> float | None:
        """The joules of all calls of which they are known."""
        if len(self.attempts) <= 1:
            return last.energy_j
        known = [a.energy_j for a in self.attempts if a.energy_j is not None]
        return sum(known) if known else None

    def _cost(self, last: Attempt) -> tuple[float | None, CostState]:
        """What all calls cost together. A refused call of an unpriced candidate adds nothing."""
        if len(self.attempts) <= 1:
            return last.cost_usd, last.cost_state
        counted = [a for a in self.attempts if a is last or a.status != "error" or a.cost_usd]
        known = [a.cost_usd for a in counted if a.cost_usd is not None]
        states = {a.cost_state for a in counted}
        state: CostState = (
            "unpriced" if "unpriced" in states else "estimated" if "estimated" in states else "billed"
        )
        return (sum(known) if known else None), state


@dataclass(slots=True)
class Call:
    """One call to one candidate while it lasts, begun in this `epoch` of its breaker.

    `asked` is in `perf_counter` seconds.
    """

    flight: Flight
    candidate: Candidate
    epoch: int = 0
    asked: float = field(default_factory=perf_counter)
    ttft_s: float | None = None
    share: Share | None = None
    ticket: Ticket | None = None

    def measured_by(self, share: Share | None) -> None:
        """From now on its part of a counter of joules is counted."""
        if share is not None:
            self.share, self.ticket = share, share.begin()

    @property
    def took_s(self) -> float:
        """Seconds from the request's arrival until now."""
        return perf_counter() - self.flight.arrived

    def first_content(self) -> None:
        """Note the moment of the first real content."""
        self.ttft_s = perf_counter() - self.asked

    def succeeded(self, usage: Usage | None, guessed_tokens: int, said: Said | None = None) -> Attempt:
        """A whole answer; without a usage report tokens and cost are estimates."""
        gist = None if said is None else said.gist
        if usage is not None:
            return self._ended("ok", usage.prompt_tokens, usage.completion_tokens, "billed", gist=gist)
        return self._ended("ok", self._input_tokens, guessed_tokens, "estimated", gist=gist)

    def broke(
        self,
        error: Exception | str,
        *,
        began: bool,
        usage: Usage | None = None,
        guessed_tokens: int | None = None,
    ) -> Attempt:
        """A failure: `error` before the answer began, `incomplete` after.

        What came of an answer is paid for: without a usage report it counts as `guessed_tokens`.
        """
        read = None if guessed_tokens is None else self._input_tokens
        return self._ended(
            "incomplete" if began else "error",
            usage.prompt_tokens if usage else read,
            usage.completion_tokens if usage else guessed_tokens,
            "billed" if usage else "estimated",
            error=str(error),
            http_status=HTTP_OK if began else error.status if isinstance(error, UpstreamRefused) else None,
        )

    def abandoned(self, *, usage: Usage | None = None, guessed_tokens: int = 0) -> Attempt:
        """A client that hung up, or a shadow that the end of Edgewise cut off.

        The candidate had the prompt by then, and wrote what had come: hanging up makes nothing free.
        """
        error = self.flight.hung_up
        if usage is not None:
            return self._ended(
                "cancelled", usage.prompt_tokens, usage.completion_tokens, "billed", error=error
            )
        return self._ended(
            "cancelled",
            self._input_tokens,
            guessed_tokens,
            "estimated",
            error=error,
            http_status=self._status,
        )

    def cut_off(self, seen_tokens: int = 0) -> Attempt:
        """The slower one of two: what it read and wrote until then will be on the bill, by our estimate."""
        return self._ended(
            "cancelled",
            self._input_tokens,
            seen_tokens,
            "estimated",
            error=CUT_OFF,
            http_status=self._status,
        )

    @property
    def _status(self) -> int | None:
        """The HTTP status of a call that was ended: known where its answer had begun."""
        return HTTP_OK if self.ttft_s is not None else None

    @property
    def _input_tokens(self) -> int:
        return max(1, self.flight.request.needs.input_tokens)

    def _ended(  # noqa: PLR0913 - the ways to end differ in all of these
        self,
        status: OutcomeStatus,
        input_tokens: int | None,
        output_tokens: int | None,
        state: CostState,
        *,
        error: str | None = None,
        http_status: int | None = HTTP_OK,
        gist: Gist | None = None,
    ) -> Attempt:
        price = self.candidate.price
        cost: float | None = None
        if price is None:
            state = "unpriced"
        elif input_tokens is not None and output_tokens is not None:
            cost = price.cost(input_tokens, output_tokens)
        elif status == "error":
            cost = 0.0
        latency_s = perf_counter() - self.asked
        energy_j, basis = self._energy(latency_s, input_tokens, output_tokens)
        return Attempt(
            candidate=self.candidate.id,
            status=status,
            started_s=self.asked - self.flight.arrived,
            latency_s=latency_s,
            ttft_s=self.ttft_s,
            http_status=http_status,
            error=error,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=cost,
            cost_state=state,
            said=gist,
            energy_j=energy_j,
            energy_basis=basis,
        )

    def _energy(
        self, latency_s: float, input_tokens: int | None, output_tokens: int | None
    ) -> tuple[float | None, EnergyBasis | None]:
        """What was counted of it, or else what is known of such calls."""
        if self.share is not None and self.ticket is not None:
            joules = self.share.end(self.ticket)
            if joules is not None:
                return joules, self.share.basis
        return energy_of(self.candidate, latency_s, input_tokens, output_tokens) or (None, None)
