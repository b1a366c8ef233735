"""One measured call as a row of the outcome table, and the name by which a call is asked only once."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from msgspec import Struct

from edgewise.domain.candidates import Candidate, Location
from edgewise.domain.decisions import Attempt, CostState, OutcomeStatus
from edgewise.learning.prompts.files import Prompt

LOST = (
    "It was under way when profiling was ended from outside: its answer was not kept, and may have been paid."
)


class Row(Struct, frozen=True, kw_only=True):
    """A row of `outcomes.jsonl`. Times in seconds, costs in USD; `at` is unix time at the call's end.

    `status` is an outcome's; `error` is a sentence where it is not "ok".
    """

    prompt: str
    prompt_hash: str
    candidate: str
    location: Location
    repeat: int
    group: str | None
    kind: str | None
    split: str | None
    level: int | None
    check: dict[str, Any] | None
    privacy: str | None
    response: str | None
    status: OutcomeStatus
    error: str | None
    latency_s: float | None
    ttft_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    cost_state: CostState
    usd_per_mtok: float | None
    simulated: bool
    at: float


class Call(Struct, frozen=True):
    """One call to make: a prompt, whom to ask, and for the how many-th time (from 0)."""

    key: str
    prompt: Prompt
    candidate: Candidate
    repeat: int = 0

    @property
    def name(self) -> int:
        """A number of 64 bits that only this call has."""
        return call_name(self.key, self.candidate.id, self.repeat)


def call_name(key: str, candidate: str, repeat: int) -> int:
    """The number of the call with these parts."""
    digest = blake2b(f"{key}\0{candidate}\0{repeat}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest())


def row_of(call: Call, attempt: Attempt, text: str | None, at: float) -> Row:
    """The row of a call that has ended."""
    prompt, candidate = call.prompt, call.candidate
    tokens = (attempt.input_tokens or 0) + (attempt.output_tokens or 0)
    priced = attempt.cost_usd is not None and tokens > 0
    return Row(
        prompt=prompt.prompt,
        prompt_hash=call.key,
        candidate=candidate.id,
        location=candidate.location,
        repeat=call.repeat,
        group=prompt.group,
        kind=prompt.kind,
        split=prompt.split,
        level=prompt.level,
        check=prompt.check,
        privacy=prompt.privacy,
        response=text,
        status=attempt.status,
        error=attempt.error,
        latency_s=None if attempt.status == "cancelled" else attempt.latency_s,
        ttft_s=attempt.ttft_s,
        input_tokens=attempt.input_tokens,
        output_tokens=attempt.output_tokens,
        cost_usd=attempt.cost_usd,
        cost_state=attempt.cost_state,
        usd_per_mtok=(attempt.cost_usd or 0.0) / tokens * 1_000_000 if priced else None,
        simulated=candidate.simulated,
        at=at,
    )


def lost_row(call: Call, most_usd: float, at: float) -> Row:
    """The row of a call that was under way when its process was killed; it counts as dear as it can be."""
    priced = call.candidate.price is not None
    attempt = Attempt(
        candidate=call.candidate.id,
        status="cancelled",
        started_s=0.0,
        latency_s=0.0,
        error=LOST,
        cost_usd=most_usd if priced else None,
        cost_state="estimated" if priced else "unpriced",
    )
    return row_of(call, attempt, None, at)
