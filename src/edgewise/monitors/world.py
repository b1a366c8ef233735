"""All that is known of the world, in one place: the machine, the ways out, the work, the money."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError
from edgewise.domain.signals import Reading
from edgewise.monitors.connectivity import Connectivity
from edgewise.monitors.reach import Patience
from edgewise.monitors.registry import board_for, is_off
from edgewise.monitors.work import Work
from edgewise.outcomes.ledger import Ledger
from edgewise.upstreams.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import Monitor, Upstream
    from edgewise.domain.signals import Signals, State
    from edgewise.monitors.watch import Watch
    from edgewise.outcomes.reader import LogReader
    from edgewise.settings import Settings

    Loaded = Callable[[], Awaitable[bool | None]]

QUEUE_TTL_S = 600.0


class World:
    """Opened once, then read with every request: `signals()`.

    Upstreams are wrapped by `watched` before it is opened, so that their calls are learned from; `observe`
    takes every record. With `[signals] enabled = false` nothing is read of the machine or the network; what
    was spent is still counted, and `monitors` that the caller brings are read.
    """

    def __init__(
        self, settings: Settings, candidates: Sequence[Candidate], monitors: Iterable[Monitor | Watch] = ()
    ) -> None:
        budget, signals = settings.budget, settings.signals
        self.board = board_for(signals, monitors)
        self.ledger = Ledger(
            budget.usd_per_day,
            time_zone=budget.time_zone,
            constrained_at=budget.constrained_at,
            critical_at=budget.critical_at,
            joules_per_day=budget.joules_per_day,
        )
        self._is_off = is_off(signals)
        patience = Patience(stale_s=signals.probe_after_s)
        self._connectivity = Connectivity(candidates, self.board, patience=patience)
        self._watched: dict[str, Watched] = {}
        self._loaded: dict[str, Loaded] = {}
        self._slots: dict[str, int] = {}
        self._waits: dict[str, Callable[[], float]] = {}
        self._work = Work(
            self.board, self._watched, slots=self._slots, loaded=self._loaded, waits=self._waits
        )
        self._tasks: list[asyncio.Task[None]] = []

    def full(self, candidate: str, is_full: bool) -> None:  # noqa: FBT001 - a line tells nothing else
        """Whether as many wait for the candidate as may, from now on; true until the next word."""
        state: State = "critical" if is_full else "normal"
        reading = Reading(f"queue_full:{candidate}", float(is_full), "", "queue", state)
        self.board.put((reading,), ttl_s=QUEUE_TTL_S)

    def watched(
        self,
        candidate: str,
        upstream: Upstream,
        *,
        slots: int | None = None,
        loaded: Loaded | None = None,
        wait: Callable[[], float] | None = None,
    ) -> Upstream:
        """`upstream`, with its calls learned from.

        `slots` are the calls that it answers at a time, `loaded` says whether its model is in memory, `wait`
        in how many seconds those in line for it will have begun, where anybody knows.
        """
        if self._is_off:
            return upstream
        wrapped = Watched(candidate, upstream, self._connectivity.report)
        self._watched[candidate] = wrapped
        self._connectivity.watch(wrapped)
        if slots is not None:
            self._slots[candidate] = slots
        if loaded is not None:
            self._loaded[candidate] = loaded
        if wait is not None:
            self._waits[candidate] = wait
        return wrapped

    def observe(self, record: Record) -> None:
        """Learn from a record that was just written."""
        self.ledger.observe(record)
        if not self._is_off:
            self._work.observe(record)

    def signals(self) -> Signals:
        """Every signal by its name, as of now. What was spent is true to the last record."""
        ledger = self.ledger
        has_budget = ledger.usd_per_day is not None or ledger.joules_per_day is not None
        return self._with_money() if has_budget else self.board.read()

    def open(self, reader: LogReader) -> None:
        """Begin to look, on the running event loop; what was spent today is read from the log.

        Raises `StoreError` where a day's budget is to be kept and the log cannot say what is spent of it.
        """
        try:
            self.ledger.load(reader)
        except StoreError:  # without a budget nobody needs the sum
            if self.ledger.usd_per_day is not None and reader.path.exists():
                raise
        self.board.open()
        if self._is_off:
            return
        self._tasks = [
            asyncio.create_task(self._connectivity.follow()),
            asyncio.create_task(self._work.follow()),
        ]

    async def aclose(self) -> None:
        """Stop looking."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.board.close()

    def _with_money(self) -> Signals:
        self.board.put(self.ledger.readings())
        return self.board.read()
