"""What was spent today, from what the log says that calls cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from time import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from edgewise.domain.decisions import Outcome
from edgewise.domain.signals import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.decisions import CostState, Record
    from edgewise.domain.signals import State
    from edgewise.outcomes.reader import LogReader

DAY_S = 86_400.0


class Spending(Struct, frozen=True):
    """The costs of one day in USD: `billed` by reported usage, `estimated` without it.

    `unpriced` counts the calls whose price nobody knows: they are in no sum.
    """

    billed: float = 0.0
    estimated: float = 0.0
    unpriced: int = 0

    @property
    def usd(self) -> float:
        """What is known to be spent."""
        return self.billed + self.estimated


class Ledger:
    """Today's spending: read from the log once, then kept up by every record that is written.

    A day is a calendar day in `time_zone` (23 to 25 hours long where clocks change). `readings` is what a
    budget looks at. Calls still under way are not in it: a budget can be exceeded by what they cost.
    """

    def __init__(  # noqa: PLR0913 - one argument a setting
        self,
        usd_per_day: float | None = None,
        *,
        time_zone: str = "UTC",
        constrained_at: float = 0.7,
        critical_at: float = 0.9,
        joules_per_day: float | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.usd_per_day, self.joules_per_day = usd_per_day, joules_per_day
        self._zone, self._clock = ZoneInfo(time_zone), clock
        self._levels = constrained_at, critical_at
        self._lock = Lock()
        self._begins, self._ends = self._day(clock())
        self._begin()

    def load(self, reader: LogReader, *, key: str | None = None) -> None:
        """Count what the log holds of today, of one key's requests where `key` names one.

        Raises StoreError where it cannot be read.
        """
        found = list(reader.spent(self._begins, key=key))
        joules = 0.0 if self.joules_per_day is None else reader.joules(self._begins)
        with self._lock:
            self._begin()
            self._joules = joules
            for _, state, usd, calls in found:
                if state == "unpriced":
                    self._unpriced += calls
                elif state == "billed":
                    self._billed += usd
                else:
                    self._estimated += usd

    def observe(self, record: Record) -> None:
        """Count an outcome that has just been written; other records cost nothing."""
        if not isinstance(record, Outcome):
            return
        with self._lock:
            if not self._begins - DAY_S <= self._clock() < self._ends:
                self._turn()
            # Or the clock was set back over midnight.
            if record.at >= self._begins or self._clock() < self._begins:
                self._book(record.cost_usd, record.cost_state)
                self._joules += record.energy_j or 0.0

    @property
    def begins(self) -> float:
        """When today began, in unix seconds."""
        with self._lock:
            self._turn()
            return self._begins

    @property
    def today(self) -> Spending:
        """The day's spending so far."""
        with self._lock:
            self._turn()
            return Spending(self._billed, self._estimated, self._unpriced)

    @property
    def rest_s(self) -> float:
        """How many seconds are left of the day."""
        with self._lock:
            self._turn()
            return max(0.0, self._ends - self._clock())

    def readings(self) -> tuple[Reading, ...]:
        """`spent_usd` and `budget_usd`; the state says how much of the day's budget is left.

        Where there is a budget of energy, `spent_j` and `budget_j` too.
        """
        spent = self.today.usd
        limit, energy = self.usd_per_day, self.joules_per_day
        found = [Reading("spent_usd", spent, "USD", "ledger", self._state(spent, limit))]
        if limit is not None:
            found.append(Reading("budget_usd", limit, "USD", "ledger", "normal"))
        if energy is not None:
            joules = self._joules
            found.append(Reading("spent_j", joules, "J", "ledger", self._state(joules, energy)))
            found.append(Reading("budget_j", energy, "J", "ledger", "normal"))
        return tuple(found)

    def _state(self, spent: float, limit: float | None) -> State:
        if limit is None:
            return "normal"
        share = spent / limit
        constrained, critical = self._levels
        return "critical" if share >= critical else "constrained" if share >= constrained else "normal"

    def _turn(self) -> None:
        """Begin a new day when it has begun. A clock set back keeps the day that was counted last.

        Set back by more than a day it was far ahead before: that day would last for as long.
        """
        now = self._clock()
        if not self._begins - DAY_S <= now < self._ends:
            self._begins, self._ends = self._day(now)
            self._begin()

    def _begin(self) -> None:
        """A day on which nothing is spent yet."""
        self._billed = self._estimated = self._joules = 0.0
        self._unpriced = 0

    def _book(self, cost_usd: float | None, state: CostState) -> None:
        """Count one more call."""
        if cost_usd is None or state == "unpriced":
            self._unpriced += state == "unpriced"
        elif state == "billed":
            self._billed += cost_usd
        else:
            self._estimated += cost_usd

    def _day(self, now: float) -> tuple[float, float]:
        """Unix seconds of the day's midnights, before and after `now`."""
        here = datetime.fromtimestamp(now, self._zone)
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        after = (midnight + timedelta(days=1)).replace(hour=0)
        return midnight.timestamp(), after.timestamp()
