"""Records ↔ rows: which field is a column, and which stands in the JSON beside them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from edgewise.domain.candidates import Objection
from edgewise.domain.decisions import Attempt, Decision, Feedback, Forecast, Outcome, Shadow

if TYPE_CHECKING:
    from collections.abc import Sequence

DECISION_COLUMNS = (
    "id", "at", "chosen", "location", "policy", "reason", "propensity", "session", "prompt", "details",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "decision_id", "at", "status", "candidate", "latency_s", "ttft_s", "input_tokens", "output_tokens",
    "cost_usd", "cost_state", "response", "energy_j", "details",
)  # fmt: skip
FEEDBACK_COLUMNS = (
    "id", "decision_id", "at", "quality", "rating", "thumbs", "comment", "source",
    "edit_distance", "correction", "abandoned_s", "success",
)  # fmt: skip


class DecisionDetails(Struct, frozen=True, omit_defaults=True, gc=False):
    """What of a decision is no column."""

    odds: dict[str, float] = {}
    shortlist: tuple[str, ...] = ()
    forecasts: dict[str, Forecast] = {}
    objections: tuple[Objection, ...] = ()
    evidence: dict[str, float] = {}
    objective: str | None = None
    model: str = "auto"
    privacy: str | None = None
    stream: bool = False
    simulated: bool = False
    prompt_hash: str | None = None
    micros: float = 0.0
    shadow: Shadow | None = None
    signals: dict[str, float] = {}
    shadow_of: str | None = None
    vector: bytes | None = None
    vector_version: str = ""
    key: str | None = None
    task: str | None = None


class OutcomeDetails(Struct, frozen=True, omit_defaults=True, gc=False):
    """What of an outcome is no column."""

    error: str | None = None
    attempts: tuple[Attempt, ...] = ()


_encode = msgspec.json.Encoder().encode
_decision_details = msgspec.json.Decoder(DecisionDetails).decode
_outcome_details = msgspec.json.Decoder(OutcomeDetails).decode


@cache
def insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    """The statement that inserts so many rows at once and leaves a known id as it is."""
    one = "(" + ",".join("?" * len(columns)) + ")"
    names = ",".join(columns)
    return (
        f"INSERT INTO {table} ({names}) VALUES {','.join([one] * rows)} "  # noqa: S608 - our own names
        f"ON CONFLICT ({columns[0]}) DO NOTHING"  # OR IGNORE would swallow other conflicts too
    )


def decision_row(d: Decision) -> tuple[Any, ...]:
    """The values of `DECISION_COLUMNS`."""
    details = DecisionDetails(
        d.odds,
        d.shortlist,
        d.forecasts,
        d.objections,
        d.evidence,
        d.objective,
        d.model,
        d.privacy,
        d.stream,
        d.simulated,
        d.prompt_hash,
        d.micros,
        d.shadow,
        d.signals,
        d.shadow_of,
        d.vector,
        d.vector_version,
        d.key,
        d.task,
    )
    return (
        d.id,
        d.at,
        d.chosen,
        d.location,
        d.policy,
        d.reason,
        d.propensity,
        d.session,
        d.prompt,
        _encode(details).decode(),
    )


def outcome_row(o: Outcome) -> tuple[Any, ...]:
    """The values of `OUTCOME_COLUMNS`."""
    return (
        o.decision_id,
        o.at,
        o.status,
        o.candidate,
        o.latency_s,
        o.ttft_s,
        o.input_tokens,
        o.output_tokens,
        o.cost_usd,
        o.cost_state,
        o.response,
        o.energy_j,
        _encode(OutcomeDetails(o.error, o.attempts)).decode(),
    )


def feedback_row(f: Feedback) -> tuple[Any, ...]:
    """The values of `FEEDBACK_COLUMNS`."""
    return (
        f.id,
        f.decision_id,
        f.at,
        f.quality,
        f.rating,
        f.thumbs,
        f.comment,
        f.source,
        f.edit_distance,
        f.correction,
        f.abandoned_s,
        f.success,
    )


def decision_of(row: Sequence[Any]) -> Decision:
    """The decision that `decision_row` took apart."""
    *columns, json = row
    named = dict(zip(DECISION_COLUMNS, columns, strict=False))
    return Decision(**named, **_fields(_lenient(_decision_details, json, DecisionDetails)))


def outcome_of(row: Sequence[Any]) -> Outcome:
    """The outcome that `outcome_row` took apart."""
    *columns, json = row
    named = dict(zip(OUTCOME_COLUMNS, columns, strict=False))
    return Outcome(**named, **_fields(_lenient(_outcome_details, json, OutcomeDetails)))


def feedback_of(row: Sequence[Any]) -> Feedback:
    """The feedback that `feedback_row` took apart."""
    named = dict(zip(FEEDBACK_COLUMNS, row, strict=True))
    corrected = named.pop("correction")
    return Feedback(**named, correction=None if corrected is None else bool(corrected))


def _fields(details: Struct) -> dict[str, Any]:
    return {name: getattr(details, name) for name in details.__struct_fields__}


def _lenient(decode: Any, json: str, kind: type[Struct]) -> Any:
    """One row with details that no longer fit must not hide all the others: its columns are still good."""
    try:
        return decode(json)
    except msgspec.DecodeError:
        return kind()
