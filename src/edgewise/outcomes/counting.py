"""What the log holds of a span of time, counted by SQLite: one row a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from edgewise.domain.feedback import MOST_OF_ABANDONED, PATIENCE_S
from edgewise.outcomes.placing import DISORDER_S, first_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ask = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]

# Three significant digits: at most 900 groups a decade, and no group wider than a hundredth of its value.
DIGITS: Final = "%.2e"
PLACES: Final = """SELECT DISTINCT chosen, location FROM
    (SELECT chosen, location FROM decisions WHERE chosen != '' ORDER BY seq DESC LIMIT 10000)"""
SHADOWS: Final = "SELECT EXISTS (SELECT 1 FROM decisions WHERE at > ?1 - 86400 AND reason = 'shadow')"
ANY_SHADOW: Final = """AND decision_id NOT IN
    (SELECT id FROM decisions WHERE at > ?1 - 86400 AND reason = 'shadow')"""
OWN: Final = "seq >= ?4 AND at > ?1 AND at <= ?2"
ENDED: Final = f"""SELECT CAST(at / ?3 AS INTEGER), candidate, count(*), sum(status = 'ok'),
    sum(status = 'cancelled'), total(cost_usd), total(cost_usd * cost_usd), count(cost_usd),
    count(energy_j), total(energy_j),
    count(*) FILTER (WHERE instr(details, '}},{{') -- only who was asked second needs a closer look
        AND json_extract(details, '$.attempts[0].candidate') IS NOT candidate
        AND json_extract(details, '$.attempts[0].status') IN ('error', 'incomplete') AND status = 'ok')
    FROM outcomes WHERE {OWN} %s GROUP BY 1, 2"""  # noqa: S608 - our own text
TOOK: Final = f"""SELECT CAST(at / ?3 AS INTEGER), printf('%{DIGITS}', latency_s), count(*)
    FROM outcomes WHERE {OWN} AND status = 'ok' AND latency_s > 0 %s GROUP BY 1, 2"""  # noqa: S608 - the same
PAID: Final = """SELECT CAST(at / ?3 AS INTEGER), total(cost_usd),
    sum(cost_state = 'unpriced' AND candidate != '')
    FROM outcomes WHERE seq >= ?4 AND at > ?1 AND at <= ?2 GROUP BY 1"""
# In the words of `domain/feedback.py`, whose table this is; a test holds them together.
SAID: Final = f"""SELECT CAST(at / ?3 AS INTEGER), count(q), total(q), total(q * q) FROM (
    SELECT at, decision_id, coalesce(quality, success, min(1.0, max(0.0, (rating - 1) / 4.0)),
        CASE thumbs WHEN 'up' THEN 1.0 WHEN 'down' THEN 0.0 END, 1 - edit_distance,
        CASE WHEN correction THEN 0.0 END,
        {MOST_OF_ABANDONED} * min(1.0, abandoned_s / {PATIENCE_S})) AS q FROM feedback
    WHERE at > ?1 AND at <= ?2) WHERE q IS NOT NULL %s GROUP BY 1"""  # noqa: S608 - the same


class Ended(Struct, frozen=True):
    """The requests of one bucket that `candidate` ended; the bucket is unix seconds over the width."""

    bucket: int
    candidate: str
    requests: int
    ok: int
    cancelled: int
    cost_usd: float
    cost_squares: float
    priced: int
    powered: int
    energy_j: float
    fallbacks: int


class Counted(Struct, frozen=True):
    """A span of the log in buckets. Shadows are in no count but `paid`.

    `took` are (bucket, seconds, answers), `paid` (bucket, USD, calls without a price), `said` (bucket,
    feedback that means a quality, their sum, the sum of their squares).
    """

    ended: list[Ended]
    took: list[tuple[int, float, int]]
    paid: list[tuple[int, float, int]]
    said: list[tuple[int, int, float, float]]


def counted(ask: Ask, after: float, until: float, width_s: float) -> Counted:
    """What lies after `after`, up to `until` (unix seconds), in buckets of `width_s` seconds."""
    (shadows,) = next(iter(ask(SHADOWS, (after,))))
    own = ANY_SHADOW if shadows else ""
    outcomes = (after, until, width_s, first_after(ask, "outcomes", after - DISORDER_S))
    return Counted(
        [Ended(*row) for row in ask(ENDED % own, outcomes)],
        [(int(bucket), float(seconds), int(count)) for bucket, seconds, count in ask(TOOK % own, outcomes)],
        [(int(bucket), float(usd), int(unpriced or 0)) for bucket, usd, unpriced in ask(PAID, outcomes)],
        [(int(b), int(n), float(t), float(sq)) for b, n, t, sq in ask(SAID % own, outcomes[:3])],
    )
