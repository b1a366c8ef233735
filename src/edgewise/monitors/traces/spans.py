"""From records to spans: what was asked of whom and when, and nothing of what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from edgewise.domain.decisions import Decision, Outcome
from edgewise.monitors.traces.parents import PARENT
from edgewise.monitors.traces.words import OTHER, Server, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgewise.domain.decisions import Attempt, Record

    Value = str | int | float | bool

MOST_OPEN: Final = 10_000  # decisions whose outcome may still come
OPERATION: Final = "gen_ai.operation.name"
CHAT: Final = "chat"
HTTP_OK: Final = 200
FAILED: Final = frozenset({"error", "incomplete"})


class TraceSpan(NamedTuple):
    """One span: times in unix seconds; `error` is a word of a closed set, never a message."""

    name: str
    begins: float
    ends: float
    attributes: Mapping[str, Value]
    error: str | None = None


class Trace(NamedTuple):
    """A request, `calls` inside it, and the `traceparent` that it came with."""

    request: TraceSpan
    calls: tuple[TraceSpan, ...]
    parent: str | None


class Traces:
    """`observe` each record; every request that ends becomes a trace and goes to `emit`.

    `servers` says whom a candidate's calls go to.
    """

    def __init__(
        self, servers: Mapping[str, Server], emit: Callable[[Trace], None], words: Words | None = None
    ) -> None:
        self._servers, self._emit, self._words = dict(servers), emit, words or Words.chosen()
        self._open: dict[str, Decision] = {}

    def observe(self, record: Record) -> None:
        """Remember a decision, or tell of its end."""
        if isinstance(record, Decision):
            self._open[record.id] = record
            if len(self._open) > MOST_OPEN:
                del self._open[next(iter(self._open))]
        elif isinstance(record, Outcome):
            decision = self._open.pop(record.decision_id, None)
            if decision is not None:
                self._emit(self._trace(decision, record))

    def _trace(self, decision: Decision, outcome: Outcome) -> Trace:
        began = outcome.at - outcome.latency_s
        told: dict[str, Value] = {
            OPERATION: CHAT,
            "gen_ai.request.model": decision.model,
            "edgewise.decision.id": decision.id,
            "edgewise.decision.micros": decision.micros,
            "edgewise.policy": decision.policy,
            "edgewise.reason": decision.reason,
            "edgewise.chosen": decision.chosen,
            "edgewise.candidate": outcome.candidate,
            "edgewise.outcome": outcome.status,
            "edgewise.stream": decision.stream,
            "edgewise.shadow": decision.shadow_of is not None,
        }
        if outcome.cost_usd is not None:
            told["edgewise.cost_usd"] = outcome.cost_usd
        if outcome.ttft_s is not None:
            told["edgewise.first_token_s"] = outcome.ttft_s
        error = None
        if outcome.status in FAILED:
            error = _error(outcome.attempts[-1]) if outcome.attempts else decision.reason
            told["error.type"] = error
        request = TraceSpan(f"{CHAT} {decision.model}", began, outcome.at, told, error)
        return Trace(request, tuple(self._call(attempt, began) for attempt in outcome.attempts), PARENT.get())

    def _call(self, attempt: Attempt, began: float) -> TraceSpan:
        server = self._servers.get(attempt.candidate) or Server(attempt.candidate, (OTHER, OTHER))
        told: dict[str, Value] = {
            OPERATION: CHAT,
            **self._words.of(server),
            "edgewise.candidate": attempt.candidate,
            "edgewise.outcome": attempt.status,
        }
        if attempt.input_tokens is not None:
            told["gen_ai.usage.input_tokens"] = attempt.input_tokens
        if attempt.output_tokens is not None:
            told["gen_ai.usage.output_tokens"] = attempt.output_tokens
        if attempt.cost_usd is not None:
            told["edgewise.cost_usd"] = attempt.cost_usd
        if attempt.http_status is not None:
            told["http.response.status_code"] = attempt.http_status
        if attempt.ttft_s is not None:
            told["edgewise.first_token_s"] = attempt.ttft_s
        error = _error(attempt) if attempt.status in FAILED else None
        if error is not None:
            told["error.type"] = error
        begins = began + attempt.started_s
        return TraceSpan(f"{CHAT} {server.model}", begins, begins + attempt.latency_s, told, error)


def _error(attempt: Attempt) -> str:
    """Of a closed set: the HTTP status where it says something, else how far the call came."""
    status = attempt.http_status
    return str(status) if status is not None and status != HTTP_OK else attempt.status
