"""How far judges are, on standard error: a bar with time left and money spent, or a line now and then."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from edgewise.cli.progress import lasting, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from edgewise.learning.judge import Ballot, Purse


class Tally:
    """Counts verdicts as they come: those that were asked for set the pace, kept ones take no time."""

    def __init__(self, total: int, purse: Purse) -> None:
        self.total, self._purse = total, purse
        self.ended = self.kept = self.failed = 0
        self.changed: Callable[[], None] = lambda: None
        self._begun = monotonic()

    def heard(self, ballot: Ballot) -> None:
        """One more."""
        self.ended += 1
        self.kept += ballot.was_kept
        self.failed += ballot.verdict is None
        self.changed()

    def said(self) -> str:
        """What a bar does not show."""
        asked = self.ended - self.kept
        rest_s = (monotonic() - self._begun) / asked * (self.total - self.ended) if asked else None
        left = "time left unknown" if rest_s is None else f"{lasting(max(0.0, rest_s))} left"
        failed = f", {self.failed:,} without a verdict" if self.failed else ""
        return f"{left}, ${self._purse.spent:.4f} spent{failed}"


@contextmanager
def watching(tally: Tally) -> Generator[None]:
    """Show how far it is while the block runs."""
    with shown("judging", "verdicts", lambda: (tally.ended, tally.total, tally.said())) as tally.changed:
        yield
