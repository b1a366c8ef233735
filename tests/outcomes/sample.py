"""A decision and its outcome to begin from."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from edgewise.domain.candidates import Objection
from edgewise.domain.decisions import Attempt, Decision, Feedback, Outcome
from edgewise.domain.ids import mint

AT = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC

DECISION = Decision(
    id="req_01a0c0ffee00aaaaaaaaaaaaaaaaaaaa",
    at=AT,
    chosen="smollm2-135m",
    location="edge",
    policy="explore(complexity, 0.02)",
    reason="optimal_edge",
    propensity=0.99,
    odds={"smollm2-135m": 0.99, "cloud-simulated": 0.01},
    shortlist=("smollm2-135m", "cloud-simulated"),
    objections=(Objection("blind", "capability", "it cannot see images"),),
    evidence={"length": 0.4, "syntax": 0.6, "emotion": 0.0, "score": 0.375, "threshold": 0.75},
    prompt="What is the capital of France?",
    micros=31.4,
)
OUTCOME = Outcome(
    decision_id=DECISION.id,
    at=AT + 1.5,
    status="ok",
    candidate="smollm2-135m",
    latency_s=1.42,
    ttft_s=0.25,
    input_tokens=40,
    output_tokens=10,
    cost_usd=0.00002,
    cost_state="billed",
    response="Paris.",
    attempts=(
        Attempt(
            candidate="smollm2-135m",
            status="ok",
            started_s=0.002,
            latency_s=1.4,
            ttft_s=0.248,
            http_status=200,
            input_tokens=40,
            output_tokens=10,
            cost_usd=0.00002,
            cost_state="billed",
        ),
    ),
)
FEEDBACK = Feedback(
    id="fb_1", decision_id=DECISION.id, at=AT + 60, quality=0.8, thumbs="up", comment="Right."
)


def decision(**changes: Any) -> Decision:
    """The sample under a fresh id, changed as told."""
    return replace(DECISION, **{"id": mint(), **changes})


def outcome(of: Decision, **changes: Any) -> Outcome:
    """The sample's outcome, of this decision."""
    return replace(OUTCOME, **{"decision_id": of.id, "at": of.at + 1.5, "candidate": of.chosen, **changes})
