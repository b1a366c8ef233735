"""What was forecast beside what came of it, from the log in order, a bounded number of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from edgewise.domain.decisions import Estimate, Forecast
from edgewise.domain.feedback import quality_of
from edgewise.outcomes.placing import DISORDER_S, ends_of, first_after
from edgewise.outcomes.rows import FEEDBACK_COLUMNS, feedback_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.outcomes.placing import Ask

LONGEST: Final = 20_000  # characters of a prompt that are read
EVERY: Final = (
    "WITH RECURSIVE place (seq) AS (SELECT ?1 WHERE ?1 <= ?3 UNION ALL "
    "SELECT seq + ?2 FROM place WHERE seq + ?2 <= ?3) "
)
OWN: Final = (
    "o.at, o.candidate, o.latency_s, o.input_tokens, o.output_tokens, d.policy, d.reason, "
    f"substr(d.prompt, 1, {LONGEST}), d.details"
)
FIT: Final = "o.status = 'ok' AND o.candidate = d.chosen AND d.reason != 'shadow' ORDER BY place.seq"
ENDED: Final = (
    f"{EVERY} SELECT {OWN} FROM place JOIN outcomes AS o ON o.seq = place.seq "  # noqa: S608 - our own text
    f"JOIN decisions AS d ON d.id = o.decision_id WHERE {FIT}"
)
SAID: Final = (
    f"{EVERY} SELECT {OWN}, {', '.join(f'f.{name}' for name in FEEDBACK_COLUMNS)} "  # noqa: S608 - the same
    "FROM place JOIN feedback AS f ON f.seq = place.seq JOIN decisions AS d ON d.id = f.decision_id "
    f"JOIN outcomes AS o ON o.decision_id = d.id WHERE {FIT}"
)


class _Details(Struct):
    forecasts: dict[str, Forecast] = {}
    evidence: dict[str, float] = {}
    key: str | None = None
    vector: bytes | None = None
    vector_version: str = ""


class Compared(Struct, frozen=True):
    """One answer of the chosen candidate: what was forecast of it, and what is known of it since.

    `at` is when that became known (unix seconds), `latency_s` its latency, `quality` (0 to 1) what one
    feedback says of it, None where the row stands for the answer's end. `far` is whether the policy took the
    prompt for unlike its training data; None where it is not known. `prompt` is its first 20,000 characters,
    and `vector` the packed features, where the store keeps them.
    """

    at: float
    candidate: str
    latency_s: float
    input_tokens: int | None
    output_tokens: int | None
    policy: str
    reason: str
    forecast: Forecast | None
    far: bool | None
    key: str | None
    prompt: str | None
    vector: bytes | None
    vector_version: str
    quality: float | None = None

    def forecast_of(self, metric: str) -> Estimate | None:
        """What was forecast of `quality`, `latency_s` or another; None where nothing was."""
        return None if self.forecast is None else getattr(self.forecast, metric)


class Place(Struct, frozen=True):
    """How far the log was read: the latest outcome and the latest feedback."""

    outcome: int = 0
    feedback: int = 0


_decode = msgspec.json.Decoder(_Details).decode


def compared(ask: Ask, place: Place, most: int) -> tuple[list[Compared], list[Compared], Place]:
    """Answers, and feedback on them, since `place`, oldest first, and how far that is.

    Of more than `most` of either, evenly spaced ones: a sample of all of them.
    """
    ended, outcome = _since(ask, "outcomes", ENDED, place.outcome, most)
    said, feedback = _since(ask, "feedback", SAID, place.feedback, most)
    return (
        [_row(row, None) for row in ended],
        [row for raw in said if (row := _said(raw)) is not None],
        Place(outcome, feedback),
    )


def place_at(ask: Ask, at: float) -> Place:
    """The place from which on everything is later than `at` (unix seconds)."""
    return Place(
        *(max(0, first_after(ask, table, at - DISORDER_S) - 1) for table in ("outcomes", "feedback"))
    )


def _since(
    ask: Ask, table: str, statement: str, after: int, most: int
) -> tuple[Iterable[tuple[Any, ...]], int]:
    least, newest = ends_of(ask, table)
    if newest < after:  # the log was begun anew
        after = 0
    first = max(after + 1, least)
    step = max(1, -((first - newest - 1) // most))
    # The newest is always among them, so that what happens now is seen now.
    return ask(statement, (newest - (newest - first) // step * step, step, newest)), newest


def _said(raw: tuple[Any, ...]) -> Compared | None:
    width = len(raw) - len(FEEDBACK_COLUMNS)
    feedback = feedback_of(raw[width:])
    quality = quality_of(feedback)
    return None if quality is None else _row((feedback.at, *raw[1:width]), quality)


def _row(raw: tuple[Any, ...], quality: float | None) -> Compared:
    *columns, text = raw
    try:
        details = _decode(text)
    except msgspec.DecodeError:  # written by another version: its columns are still good
        details = _Details()
    at, candidate, latency_s, input_tokens, output_tokens, policy, reason, prompt = columns
    forecast = details.forecasts.get(candidate)
    far = details.evidence.get("far_from_training") == 1.0 if forecast is not None else None
    return Compared(
        at,
        candidate,
        latency_s or 0.0,
        input_tokens,
        output_tokens,
        policy,
        reason,
        forecast,
        far,
        details.key,
        prompt,
        details.vector,
        details.vector_version,
        quality,
    )
