"""What the latest traffic had to teach: labels by who gave them, and choices that chance made."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from edgewise.domain.feedback import quality_of
from edgewise.outcomes.rows import FEEDBACK_COLUMNS, feedback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ask = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]

LABELLED: Final = f"""SELECT coalesce(o.candidate, ''), {", ".join(f"f.{name}" for name in FEEDBACK_COLUMNS)}
    FROM (SELECT * FROM feedback ORDER BY seq DESC LIMIT ?) AS f
    LEFT JOIN outcomes AS o ON o.decision_id = f.decision_id"""  # noqa: S608 - our own names
TRIED: Final = """SELECT chosen, count(*), total(reason = 'explored'), min(at)
    FROM (SELECT chosen, reason, at FROM decisions ORDER BY seq DESC LIMIT ?)
    WHERE reason != 'shadow' AND chosen != '' GROUP BY 1 ORDER BY 2 DESC"""


class Labelled(Struct, frozen=True):
    """Labels of one source on one candidate's answers (empty where the answer is gone).

    `quality` is their mean, 0 to 1; None where they name none, as comments do. `latest` is unix seconds.
    """

    source: str
    candidate: str
    labels: int
    quality: float | None
    latest: float


class Tried(Struct, frozen=True):
    """How often a candidate was chosen, how often by a draw against the favourite, since `oldest`."""

    candidate: str
    chosen: int
    explored: int
    oldest: float


def labelled(ask: Ask, most: int) -> list[Labelled]:
    """The latest `most` pieces of feedback by source and candidate, the most frequent first."""
    labels: defaultdict[tuple[str, str], int] = defaultdict(int)
    named: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    latest: defaultdict[tuple[str, str], float] = defaultdict(float)
    for candidate, *row in ask(LABELLED, (most,)):
        said = feedback_of(row)
        place = said.source, candidate
        labels[place] += 1
        latest[place] = max(latest[place], said.at)
        if (quality := quality_of(said)) is not None:
            named[place].append(quality)
    return [
        Labelled(*place, count, _mean(named[place]), latest[place])
        for place, count in sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def tried(ask: Ask, most: int) -> list[Tried]:
    """The latest `most` decisions by whom they chose, the most frequent first; shadows are no choices."""
    return [Tried(name, int(n), int(explored), at) for name, n, explored, at in ask(TRIED, (most,))]


def _mean(numbers: list[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
