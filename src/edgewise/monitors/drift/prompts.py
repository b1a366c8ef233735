"""Prompts against those that were learned from: how their statistics moved, how many are far from all."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.errors import AssetError, MissingExtra
from edgewise.monitors.drift.report import Moved, Prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.monitors.drift.reference import Reference
    from edgewise.outcomes.comparing import Compared

MOST: Final = 1000
DAY_S: Final = 86_400.0
FEWEST: Final = 50  # prompts that tell anything
FEWEST_BEFORE: Final = 200  # prompts of the days before that may stand in for those of training
NOT_KEPT: Final = "the log keeps neither prompts nor vectors ([store] prompts, vectors)"
NOT_INSTALLED: Final = "the extra `learn` is not installed"
NOTHING_BEFORE: Final = "no bundle says what it was trained on, and the days before have too few prompts"


class PromptWatch:
    """The latest prompts of 24 hours, `MOST` at most, beside what `reference` says, or those before them."""

    def __init__(self, reference: Callable[[], Reference | None]) -> None:
        self._reference_of = reference
        self._reference: Reference | None = None
        self._latest: deque[tuple[float, Any]] = deque(maxlen=MOST)
        self._before: deque[Any] = deque(maxlen=MOST)
        self._far: deque[tuple[float, bool]] = deque(maxlen=2 * MOST)
        self._why = ""

    def take(self, rows: Sequence[Compared], most: int, now: float) -> None:
        """See answers, oldest first; the prompts of `most` of them, evenly spaced, are described."""
        self._reference = self._reference_of()
        self._far += [(row.at, row.far) for row in rows if row.far is not None]
        try:
            from edgewise.monitors.drift.reference import statistics_of  # noqa: PLC0415 - numpy is an extra

            sample = rows[:: max(1, -(-len(rows) // most))]
            found = [(row.at, made) for row in sample if (made := statistics_of(row)) is not None]
        except (ImportError, MissingExtra, AssetError):
            self._why = NOT_INSTALLED
            return
        if rows:
            self._why = "" if found else NOT_KEPT
        self._latest += found
        while self._latest and self._latest[0][0] < now - DAY_S:
            self._before.append(self._latest.popleft()[1])

    def found(self, now: float) -> Prompts:
        """How the prompts of the last 24 hours compare."""
        rows = [statistics for at, statistics in self._latest if at >= now - DAY_S]
        judged = [far for at, far in self._far if at >= now - DAY_S]
        far_share = sum(judged) / len(judged) if judged else None
        reference, why = (None, self._why) if self._why else self._compared_with()
        if reference is not None and len(rows) < FEWEST:
            why = f"there are {len(rows)} prompts of the last 24 hours; {FEWEST} can tell"
        if reference is None or why:
            return Prompts(len(rows), "", why, (), far_share, len(judged))
        index = reference.stability(rows)
        moved = [Moved(name, value, places) for name, (value, places) in index.items()]
        moved.sort(key=lambda each: -each.index)
        return Prompts(len(rows), reference.source, "", tuple(moved), far_share, len(judged))

    def _compared_with(self) -> tuple[Reference | None, str]:
        if self._reference is not None:
            return self._reference, ""
        if len(self._before) < FEWEST_BEFORE:
            return None, NOTHING_BEFORE
        from edgewise.monitors.drift.reference import Reference  # noqa: PLC0415 - numpy is an extra

        return Reference.of(list(self._before), "the days before"), ""
