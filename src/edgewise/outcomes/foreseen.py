"""The latest decisions that rest on forecasts, with what came of them: what a frontier is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from edgewise.domain.decisions import Feedback, Forecast
from edgewise.domain.feedback import agreed
from edgewise.outcomes.rows import FEEDBACK_COLUMNS, feedback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[[str, tuple[Any, ...]], Sequence[tuple[Any, ...]]]

TWO: Final = 2  # a choice needs two
LATEST: Final = "(SELECT max(seq) - ? FROM decisions)"
KEY: Final = 8_000  # characters of a prompt that tell it from others
FORESEEN: Final = f"""SELECT d.id, substr(d.prompt, 1, {KEY}), d.chosen, d.propensity, d.details, o.status,
    o.latency_s, o.cost_usd FROM decisions AS d JOIN outcomes AS o ON o.decision_id = d.id
    WHERE d.seq > {LATEST} AND d.reason != 'shadow' AND d.session IS NULL
    AND instr(d.details, '"forecasts":{{"')"""  # noqa: S608 - our own text
# CROSS: from the latest decisions to what was said of them, not through all that was ever said.
SAID: Final = f"""SELECT {", ".join(f"f.{name}" for name in FEEDBACK_COLUMNS)} FROM decisions AS d
    CROSS JOIN feedback AS f ON f.decision_id = d.id WHERE d.seq > {LATEST} ORDER BY f.seq"""  # noqa: S608 - the same


class Foreseen(Struct, frozen=True):
    """One free decision of the log: what was forecast of each candidate that could have been chosen.

    And what came of it: `quality` is 0 to 1 by feedback, 0 for a failure that nobody rated, None where nobody
    knows. `key` is the same for the same prompt: its first 8,000 characters.
    """

    key: str
    chosen: str
    propensity: float
    odds: dict[str, float]
    forecasts: dict[str, Forecast]
    quality: float | None
    latency_s: float | None
    cost_usd: float | None
    failed: bool


class _Details(Struct):
    odds: dict[str, float] = {}
    shortlist: tuple[str, ...] = ()
    forecasts: dict[str, Forecast] = {}
    objective: str | None = None
    model: str = "auto"
    prompt_hash: str | None = None


_details = msgspec.json.Decoder(_Details).decode


def foreseen(ask: Ask, most: int) -> list[Foreseen]:
    """Of the latest `most` decisions those that could have gone more than one way, and rest on forecasts."""
    said: dict[str, list[Feedback]] = {}
    for row in ask(SAID, (most,)):
        feedback = feedback_of(row)
        said.setdefault(feedback.decision_id, []).append(feedback)
    found: list[Foreseen] = []
    for made, prompt, chosen, propensity, raw, status, latency_s, cost_usd in ask(FORESEEN, (most,)):
        details = _details(raw)
        if not _is_free(details, propensity) or status == "cancelled":
            continue
        failed = status != "ok"
        known = agreed(said[made]) if made in said else None
        quality = known[0] if known is not None else 0.0 if failed else None
        key = prompt or details.prompt_hash or made
        odds, forecasts = details.odds, details.forecasts
        found.append(
            Foreseen(key, chosen, propensity, odds, forecasts, quality, latency_s, cost_usd, failed=failed)
        )
    return found


def _is_free(details: _Details, propensity: float | None) -> bool:
    return (
        len(details.shortlist) >= TWO
        and details.objective is None
        and (details.model == "auto" or details.model.startswith("auto:"))
        and 0.0 < (propensity or 0.0) <= 1.0
        and all(name in details.forecasts for name in details.shortlist)
    )
