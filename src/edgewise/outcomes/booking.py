"""What the latest requests cost, who answered them, and to whom their texts went: counted from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from edgewise.domain.candidates import Objection
from edgewise.domain.decisions import Attempt, CostState
from edgewise.outcomes.placing import DISORDER_S, first_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ask = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]

BOOKED: Final = """SELECT o.candidate, d.chosen, o.cost_state, d.reason = 'shadow', count(*),
    total(o.cost_usd), total(o.cost_usd * o.cost_usd), count(o.input_tokens), total(o.input_tokens),
    total(o.output_tokens), min(o.at)
    FROM (SELECT decision_id, at, candidate, input_tokens, output_tokens, cost_usd, cost_state FROM outcomes
        ORDER BY seq DESC LIMIT ?) AS o JOIN decisions AS d ON d.id = o.decision_id
    WHERE o.candidate != '' GROUP BY 1, 2, 3, 4, o.input_tokens IS NULL"""
BY_KEY: Final = """SELECT json_extract(d.details, '$.key'), total(o.cost_usd) FROM outcomes AS o
    JOIN decisions AS d ON d.id = o.decision_id WHERE o.seq >= ? AND o.at >= ? AND d.reason != 'shadow'
    GROUP BY 1"""
TRAVELLED: Final = """SELECT d.at, d.chosen, d.reason, d.details, o.details FROM decisions AS d
    LEFT JOIN outcomes AS o ON o.decision_id = d.id ORDER BY d.seq DESC LIMIT ?"""


class Booked(Struct, frozen=True):
    """Ended requests that are alike: who answered, who was chosen, what is known of cost and tokens.

    `usd`, `usd_squares` and tokens are sums over `requests`; `counted` are those with known tokens: all of
    them or none. `oldest` is unix seconds.
    """

    candidate: str
    chosen: str
    state: CostState
    shadow: bool
    requests: int
    usd: float
    usd_squares: float
    counted: int
    input_tokens: float
    output_tokens: float
    oldest: float


class Travelled(Struct, frozen=True):
    """One request and whom its text reached: `asked` are the candidates of its attempts, or of its choice.

    `found` are the detectors' rules that saw something private, `kept_by` the sentences against candidates
    for the sake of privacy, without the candidate's name.
    """

    at: float
    asked: tuple[str, ...]
    reason: str
    privacy: str | None
    found: tuple[str, ...]
    kept_by: tuple[str, ...]


class _Why(Struct):
    privacy: str | None = None
    evidence: dict[str, float] = {}
    objections: tuple[Objection, ...] = ()


class _Calls(Struct):
    attempts: tuple[Attempt, ...] = ()


_why = msgspec.json.Decoder(_Why).decode
_calls = msgspec.json.Decoder(_Calls).decode
FOUND: Final = "found:"


def booked(ask: Ask, most: int) -> list[Booked]:
    """The latest `most` outcomes, grouped; those that nobody answered are left out."""
    return [
        Booked(name, chosen, state, bool(shadow), *rest)
        for name, chosen, state, shadow, *rest in ask(BOOKED, (most,))
    ]


def spent_by_key(ask: Ask, after: float) -> dict[str, float]:
    """What clients with each key were answered since `after` (unix seconds), in USD; shadows aside."""
    first = first_after(ask, "outcomes", after - DISORDER_S)
    return {str(key): float(usd) for key, usd in ask(BY_KEY, (first, after)) if key is not None}


def travelled(ask: Ask, most: int) -> list[Travelled]:
    """The latest `most` decisions, newest first."""
    found: list[Travelled] = []
    for at, chosen, reason, details, ended in ask(TRAVELLED, (most,)):
        why = _why(details)
        attempts = _calls(ended).attempts if ended else ()
        asked = tuple(dict.fromkeys(attempt.candidate for attempt in attempts))
        rules = tuple(name.removeprefix(FOUND) for name in why.evidence if name.startswith(FOUND))
        kept = dict.fromkeys(
            o.sentence.partition(f", and '{o.candidate}'")[0] for o in why.objections if o.rule == "privacy"
        )
        found.append(
            Travelled(at, asked or ((chosen,) if chosen else ()), reason, why.privacy, rules, tuple(kept))
        )
    return found
