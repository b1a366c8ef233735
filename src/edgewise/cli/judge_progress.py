"""How far judges are, on standard error: a bar with time left and money spent, or a line now and then."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from edgewise.cli.console import err
from edgewise.cli.progress import LINE_EVERY_S, lasting

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
    if not sys.stderr.isatty():
        last = monotonic()

        def changed() -> None:
            nonlocal last
            if monotonic() - last >= LINE_EVERY_S:
                last = monotonic()
                err(f"{tally.ended:,} of {tally.total:,} verdicts, {tally.said()}")

        tally.changed = changed
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - drawn on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - the same

    columns = ("judging", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        task = bar.add_task("", total=tally.total, said="")
        tally.changed = lambda: bar.update(task, completed=tally.ended, said=tally.said())
        yield
