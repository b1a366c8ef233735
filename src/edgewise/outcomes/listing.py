"""Decisions as lists show them: one line each, in bounded memory and time, however long texts and log are."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.decisions import CostState, OutcomeStatus
from edgewise.domain.feedback import agreed
from edgewise.outcomes.rows import FEEDBACK_COLUMNS, feedback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[[str, tuple[Any, ...]], Sequence[tuple[Any, ...]]]

SHOWN: Final = 400  # characters of a prompt
AT_FIRST: Final = 100  # decisions before the first look at the clock; then more, where they are read fast
AT_ONCE: Final = 2000
FAST_S: Final = 0.02
COLUMNS: Final = (
    f"d.seq, d.id, d.at, d.chosen, d.location, d.policy, d.reason, d.session, substr(d.prompt, 1, {SHOWN}), "
    "o.status, o.candidate, o.latency_s, o.input_tokens, o.output_tokens, o.cost_usd, o.cost_state"
)
LISTED: Final = f"""SELECT {COLUMNS} FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision_id = d.id
    WHERE %s AND d.seq < ? AND d.seq >= ? ORDER BY d.seq DESC LIMIT ?"""  # noqa: S608 - our own names
ENDS: Final = "SELECT (SELECT min(seq) FROM decisions), (SELECT max(seq) FROM decisions)"
AT: Final = "SELECT at FROM decisions WHERE seq >= ? ORDER BY seq LIMIT 1"


class Listed(Struct, frozen=True):
    """One decision in a list; what ended it is None while it is under way.

    `prompt` is the beginning of what was kept. `quality` is what feedback comes to (0 to 1).
    """

    seq: int
    id: str
    at: float
    chosen: str
    location: str
    policy: str
    reason: str
    session: str | None
    prompt: str | None
    status: OutcomeStatus | None
    candidate: str | None
    latency_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    cost_state: CostState | None
    quality: float | None = None


class Listing(Struct, frozen=True):
    """What a search found, newest first, and how far it looked.

    Everything from place `reached` on was looked at, back to `reached_at` (unix seconds). `ended` says that
    nothing lies before it.
    """

    found: tuple[Listed, ...]
    reached: int
    reached_at: float | None
    ended: bool


def listed(  # noqa: PLR0913 - what to look for, from where on, how much and how long
    ask: Ask, where: str, values: Sequence[Any], *, limit: int, below: int | None, most_s: float
) -> Listing:
    """The newest `limit` decisions before place `below` that fit; those that `most_s` seconds suffice for."""
    first, last = ask(ENDS, ())[0]
    if first is None:
        return Listing((), 0, None, ended=True)
    top = last + 1 if below is None else min(below, last + 1)
    found: list[Listed] = []
    began, step = monotonic(), AT_FIRST
    deadline = began + most_s
    while top > first and len(found) < limit:
        floor = max(first, top - step)
        rows = ask(LISTED % where, (*values, top, floor, limit - len(found)))
        found += [Listed(*row) for row in rows]
        top = found[-1].seq if len(found) == limit else floor
        began, before = monotonic(), began
        if began > deadline:
            break
        step = min(2 * step, AT_ONCE) if began - before < FAST_S else max(step // 2, AT_FIRST)
    at = ask(AT, (top,))
    judged = tuple(_with_quality(ask, found))
    return Listing(judged, top, at[0][0] if at else None, ended=top <= first)


def _with_quality(ask: Ask, found: Sequence[Listed]) -> list[Listed]:
    """The same with what was said of them since."""
    if not found:
        return []
    marks = ",".join("?" * len(found))
    question = (
        f"SELECT {', '.join(FEEDBACK_COLUMNS)} FROM feedback WHERE decision_id IN ({marks}) ORDER BY seq"  # noqa: S608 - our own names
    )
    said = [feedback_of(row) for row in ask(question, tuple(one.id for one in found))]
    by_id = {one.id: agreed(f for f in said if f.decision_id == one.id) for one in found} if said else {}
    return [one if (known := by_id.get(one.id)) is None else replace(one, quality=known[0]) for one in found]
