"""Long work on standard error: a bar with the time left and the money spent, or a line now and then."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from edgewise.cli.console import err

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from edgewise.learning.profile import Profiler

LINE_EVERY_S = 10.0
MINUTE, HOUR = 60, 3600


@contextmanager
def shown(doing: str, unit: str, state: Callable[[], tuple[int, int, str]]) -> Generator[Callable[[], None]]:
    """Show how far something is while the block runs; what it yields is to be called at each change.

    `state` gives how many of how many are done, and what more there is to say.
    """
    if not sys.stderr.isatty():
        last = monotonic()

        def changed() -> None:
            nonlocal last
            if monotonic() - last >= LINE_EVERY_S:
                last = monotonic()
                ended, total, more = state()
                err(f"{ended:,} of {total:,} {unit}, {more}")

        yield changed
        return
    from rich.console import Console  # noqa: PLC0415 - drawn on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - the same

    columns = (doing, BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        begun, total, _ = state()
        task = bar.add_task("", total=total, completed=begun, said="")

        def drawn() -> None:
            ended, _, more = state()
            bar.update(task, completed=ended, said=more)

        yield drawn


@contextmanager
def watching(profiler: Profiler) -> Generator[None]:
    """Show how far a profile is while the block runs."""

    def state() -> tuple[int, int, str]:
        return profiler.tally.ended, profiler.tally.total, said(profiler)

    with shown("profiling", "calls", state) as profiler.changed:
        yield


def said(profiler: Profiler) -> str:
    """What a bar does not show: the time left, the money spent, and how many calls failed."""
    rest, failed = profiler.tally.rest_s, profiler.tally.failed
    left = "time left unknown" if rest is None else f"{lasting(rest)} left"
    return f"{left}, ${profiler.purse.spent:.4f} spent" + (f", {failed:,} failed" if failed else "")


def lasting(seconds: float) -> str:
    """`42 s`, `7 min`, `2 h 5 min`."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds // HOUR:.0f} h {seconds % HOUR / MINUTE:.0f} min"


@contextmanager
def stoppable(halt: Callable[[], None]) -> Generator[list[str]]:
    """Let the first Ctrl-C call `halt`, and a second one cut the work off; what it yields holds their names.

    SIGTERM counts as Ctrl-C. Where an event loop takes no signals, Ctrl-C stays a KeyboardInterrupt.
    """
    loop, task, heard = asyncio.get_running_loop(), asyncio.current_task(), list[str]()

    def hear(name: str) -> None:
        heard.append(name)
        if len(heard) == 1:
            err("Waiting for the calls under way; Ctrl-C once more cuts them off.")
            halt()
        elif task is not None:
            task.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError):
        for number in numbers:
            loop.add_signal_handler(number, hear, number.name)
    try:
        yield heard
    finally:
        with suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)
