"""How the traffic fares: read from the log once, then kept up record by record, in bounded memory."""

from __future__ import annotations

from math import inf, nextafter
from threading import Lock
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Decision, Feedback, Outcome
from edgewise.domain.feedback import quality_of
from edgewise.monitors.clock import SystemClock
from edgewise.monitors.production.histogram import place_of
from edgewise.monitors.production.rings import RINGS, STEP_S, Ring, total
from edgewise.monitors.production.stored import WINDOWS as KEPT
from edgewise.monitors.production.taking import take
from edgewise.monitors.production.tally import Tally, fell_back
from edgewise.outcomes.ledger import Ledger
from edgewise.settings.schema import BudgetSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.candidates import Location
    from edgewise.domain.decisions import Record
    from edgewise.monitors.clock import Clock
    from edgewise.monitors.drift import Drift
    from edgewise.monitors.production.stored import Tallies
    from edgewise.outcomes.reader import LogReader

MOST_NAMES = 4096  # of candidates
MOST_SHADOWS = 10_000  # whose outcome or feedback may still come


class ProductionMonitor:
    """Counts what ends, as it ends: `load` what the log holds, then `observe` each record.

    `locations` says where candidates are; what decisions say is learned on the way. A record counts at the
    time at which it is observed. `drift`, where it stands, tells its figures beside these. May be read from
    any thread.
    """

    def __init__(
        self,
        locations: Mapping[str, Location] | None = None,
        *,
        budget: BudgetSettings | None = None,
        drift: Drift | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self.budget = budget or BudgetSettings()
        self.drift = drift
        self._edges = {name: place == "edge" for name, place in (locations or {}).items()}
        self._rings = {name: Ring(width, count) for name, (width, count) in RINGS.items()}
        self._shadows: dict[str, None] = {}
        self._lock = Lock()
        self._step, self._tally = self._now_step(), Tally()
        self._wall = self._clock.wall
        self.since = self._clock.wall()
        self.ledger = Ledger(self.budget.usd_per_day, time_zone=self.budget.time_zone, clock=self._clock.wall)

    @property
    def now(self) -> float:
        """What time it is, in unix seconds."""
        return self._clock.wall()

    @property
    def edges(self) -> Mapping[str, bool]:
        """Of each candidate that is known, whether it is at the edge."""
        return self._edges

    def load(self, reader: LogReader, tallies: Tallies | None = None) -> None:
        """Count what the log holds of the seven days before this monitor was made: the rest it observes.

        What `tallies` have is not counted again. Raises StoreError where the log cannot be read.
        """
        now = self.since
        for name, place in reader.locations().items():
            self._edges.setdefault(name, place == "edge")
        self.ledger.load(reader)
        for name, ring in self._rings.items():
            found = Ring(ring.width_s, ring.count)
            first = (int(now // ring.width_s) - ring.count + 1) * ring.width_s
            if tallies is not None and name in KEPT:
                first = tallies.fill(name, found, now)
            take(found, reader.counted(nextafter(first, -inf), now, ring.width_s), self._edges)
            with self._lock:
                for bucket, tally in found.all():
                    ring.at(bucket).add(tally)

    def observe(self, record: Record) -> None:
        """Count a record that has just been written."""
        if type(record) is Outcome:  # isinstance() takes three times as long to say no
            self.ledger.observe(record)
            with self._lock:
                self._ended(record, self._current())
        elif type(record) is Decision:
            if record.shadow_of is not None:
                self._is_shadow(record.id)
            elif record.chosen not in self._edges and record.chosen and len(self._edges) < MOST_NAMES:
                self._edges[record.chosen] = record.location == "edge"
        elif isinstance(record, Feedback):
            with self._lock:
                self._said(record, self._current())

    def window(self, name: str) -> Tally:
        """The sum of the last "5m", "1h", "24h" or "7d", to within a bucket."""
        return total(tally for _, tally in self.buckets(name))

    def buckets(self, name: str) -> list[tuple[float, Tally]]:
        """That window in its buckets, oldest first: when each begins, in unix seconds, and what was in it."""
        with self._lock:
            self._turn(self._now_step())
            ring = self._rings[name]
            return [(bucket * ring.width_s, total([tally])) for bucket, tally in ring.last(self.now)]

    def _now_step(self) -> int:
        return int(self._clock.wall() // STEP_S)

    def _current(self) -> Tally:
        step = int(self._wall() // STEP_S)
        if step != self._step:
            self._turn(step)
        return self._tally

    def _turn(self, step: int) -> None:
        """Move what was counted to the rings; the next count begins at `step`."""
        for ring in self._rings.values():
            ring.at(int(self._step * STEP_S // ring.width_s)).add(self._tally)
        self._step, self._tally = step, Tally()

    def _is_shadow(self, decision_id: str) -> None:
        self._shadows[decision_id] = None
        if len(self._shadows) > MOST_SHADOWS:
            del self._shadows[next(iter(self._shadows))]

    def _ended(self, outcome: Outcome, tally: Tally) -> None:
        cost = outcome.cost_usd
        if cost is not None:
            tally.paid_usd += cost
        if outcome.cost_state == "unpriced" and outcome.candidate:
            tally.unpriced += 1
        if outcome.decision_id in self._shadows:
            return
        edge = self._edges.get(outcome.candidate)
        if edge:
            tally.edge += 1
        elif edge is False:
            tally.cloud += 1
        if outcome.status == "ok":
            _answered(outcome, tally)
        elif outcome.status == "cancelled":
            tally.cancelled += 1
        else:
            tally.failed += 1
        energy = outcome.energy_j
        tally.powered += energy is not None
        tally.energy_j += energy or 0.0
        if cost is not None:
            tally.priced += 1
            tally.cost_usd += cost
            tally.cost_squares += cost * cost
            if edge is False:
                tally.cloud_usd += cost

    def _said(self, said: Feedback, tally: Tally) -> None:
        quality = quality_of(said)
        if quality is not None and said.decision_id not in self._shadows:
            tally.said += 1
            tally.quality += quality
            tally.quality_squares += quality * quality


def _answered(outcome: Outcome, tally: Tally) -> None:
    tally.ok += 1
    place = place_of(outcome.latency_s)
    tally.took[place] = tally.took.get(place, 0) + 1
    if len(outcome.attempts) > 1 and fell_back(outcome):
        tally.fallbacks += 1
