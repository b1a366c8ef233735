"""One decision on its way: the clock it runs by, and the outcome that its end makes."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Attempt, Outcome
from edgewise.domain.errors import UpstreamRefused

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import CostState, Decision, OutcomeStatus
    from edgewise.domain.requests import Request
    from edgewise.upstreams.reading import Usage


@dataclass(slots=True)
class Flight:
    """What is known while a candidate answers. `arrived` and `asked` are `perf_counter` seconds."""

    decision: Decision
    candidate: Candidate
    request: Request
    arrived: float
    asked: float
    ttft_s: float | None = None

    def first_content(self) -> None:
        """Note the moment of the first real content."""
        self.ttft_s = perf_counter() - self.arrived

    def succeeded(self, usage: Usage | None, guessed_tokens: int, response: str | None) -> Outcome:
        """The outcome of a whole answer; without a usage report tokens and cost are estimates."""
        if usage is not None:
            return self._landed(
                "ok", usage.prompt_tokens, usage.completion_tokens, "billed", response=response
            )
        return self._landed("ok", *self._guess(guessed_tokens), "estimated", response=response)

    def broke(
        self,
        error: Exception | str,
        *,
        began: bool,
        usage: Usage | None = None,
        guessed_tokens: int | None = None,
    ) -> Outcome:
        """The outcome of a failure: `error` before the answer began, `incomplete` after.

        What came of an answer is paid for: without a usage report it counts as `guessed_tokens`.
        """
        status: OutcomeStatus = "incomplete" if began else "error"
        http_status = error.status if isinstance(error, UpstreamRefused) else None
        read, written = self._guess(guessed_tokens)
        return self._landed(
            status,
            usage.prompt_tokens if usage else read,
            usage.completion_tokens if usage else written,
            "billed" if usage else "estimated",
            error=str(error),
            http_status=http_status,
        )

    def abandoned(self, *, usage: Usage | None = None, guessed_tokens: int = 0) -> Outcome:
        """The outcome of a client that hung up, or of a shadow that the end of Edgewise cut off.

        The candidate had the prompt by then, and wrote what had come: hanging up makes nothing free.
        """
        error = "The client hung up." if self.decision.shadow_of is None else "Edgewise was ended."
        if usage is not None:
            return self._landed(
                "cancelled", usage.prompt_tokens, usage.completion_tokens, "billed", error=error
            )
        return self._landed("cancelled", *self._guess(guessed_tokens), "estimated", error=error)

    def _guess(self, written: int | None) -> tuple[int | None, int | None]:
        """The tokens of the prompt and of the answer, where anything was answered."""
        return (None, None) if written is None else (max(1, self.request.needs.input_tokens), written)

    def _landed(  # noqa: PLR0913 - the ways to end differ in all of these
        self,
        status: OutcomeStatus,
        input_tokens: int | None,
        output_tokens: int | None,
        state: CostState,
        *,
        response: str | None = None,
        error: str | None = None,
        http_status: int | None = 200,
    ) -> Outcome:
        now = perf_counter()
        price = self.candidate.price
        cost: float | None = None
        if price is None:
            state = "unpriced"
        elif input_tokens is not None and output_tokens is not None:
            cost = price.cost(input_tokens, output_tokens)
        elif status == "error":
            cost = 0.0
        attempt = Attempt(
            candidate=self.candidate.id,
            status=status,
            started_s=self.asked - self.arrived,
            latency_s=now - self.asked,
            ttft_s=None if self.ttft_s is None else self.ttft_s - (self.asked - self.arrived),
            http_status=http_status,
            error=error,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=cost,
            cost_state=state,
        )
        return Outcome(
            decision_id=self.decision.id,
            at=time(),
            status=status,
            candidate=self.candidate.id,
            latency_s=now - self.arrived,
            ttft_s=self.ttft_s,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=cost,
            cost_state=state,
            error=error,
            response=response,
            attempts=(attempt,),
        )
