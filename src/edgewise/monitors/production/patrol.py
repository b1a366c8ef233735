"""The gateway's round: look at the figures every few seconds, and tell whoever wants to hear of alerts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError
from edgewise.monitors.production.figures import WINDOWS, figures_of
from edgewise.monitors.production.kept import acknowledge, read_alerts, write_alerts
from edgewise.monitors.production.stored import Tallies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from pathlib import Path

    from edgewise.monitors.drift import Drift
    from edgewise.monitors.production.alerts import Alert, Alerts
    from edgewise.monitors.production.delivery import Deliver
    from edgewise.monitors.production.figures import Figures
    from edgewise.monitors.production.monitor import ProductionMonitor
    from edgewise.outcomes.reader import LogReader

logger = logging.getLogger("edgewise.alerts")
KEEP_S = 900.0  # between two times that closed buckets are put down
DRIFT_S = 60.0  # between two looks for drift: it comes in hours, and each look reads the log


class Patrol:
    """Looks at `monitor` with `alerts`, keeps what stands in `folder`, and hands changes to `deliveries`."""

    def __init__(
        self, monitor: ProductionMonitor, alerts: Alerts, deliveries: Sequence[Deliver], folder: Path
    ) -> None:
        self.monitor, self.alerts = monitor, alerts
        self._deliveries, self._folder = tuple(deliveries), folder
        self._under_way: set[asyncio.Task[None]] = set()
        self._kept_at = monitor.now
        self._written: tuple[Alert, ...] | None = None

    async def run(self, reader: LogReader, every_s: float) -> None:
        """Read the log, then look every `every_s` seconds until cancelled."""
        try:
            await asyncio.to_thread(self._load, reader)
        except StoreError as error:  # what is observed counts all the same
            logger.warning("The figures begin with now: %s", error)
        drift = self.monitor.drift
        watch = None if drift is None else asyncio.create_task(_watch(drift, reader, max(every_s, DRIFT_S)))
        try:
            while True:
                await self._round(reader)
                await asyncio.sleep(every_s)
        finally:
            if watch is not None:
                watch.cancel()
            for task in self._under_way:
                task.cancel()

    async def _round(self, reader: LogReader) -> None:
        """Look, and keep; what fails in a way that we did not foresee must not be the last look."""
        try:
            await self.look()
            await self._keep(reader)
        except Exception:
            logger.exception("A look at the figures failed; the next one comes.")

    def _load(self, reader: LogReader) -> None:
        """Read the log: only what nobody has counted yet."""
        tallies = Tallies(self._folder, reader)
        try:
            tallies.update(self.monitor.edges, self.monitor.since)
        except StoreError as error:
            logger.warning("What is counted of the log is not kept: %s", error)
        self.monitor.load(reader, tallies)
        self._kept_at = self.monitor.now

    async def _keep(self, reader: LogReader) -> None:
        """Now and then put down what the log holds by now, for the next start."""
        if 0.0 <= self.monitor.now - self._kept_at < KEEP_S:  # or the clock was set back
            return
        self._kept_at = self.monitor.now
        try:
            tallies = await asyncio.to_thread(Tallies, self._folder, reader)
            await asyncio.to_thread(tallies.update, self.monitor.edges, self.monitor.now)
        except StoreError as error:
            logger.warning("What is counted of the log is not kept: %s", error)

    async def look(self) -> None:
        """One round: acknowledgements in, changes out. Deliveries go on in the background."""
        now = self.monitor.now
        for known in await asyncio.to_thread(read_alerts, self._folder):
            if known.acknowledged_at is not None:
                self.alerts.acknowledge(known.name, known.acknowledged_at)
        figures = await asyncio.to_thread(self._figures)  # milliseconds that requests would wait for
        changes = self.alerts.look(figures.__getitem__, now)
        await self._write()
        for change in changes:
            for deliver in self._deliveries:
                task = asyncio.create_task(_safely(deliver(change, now)))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _write(self) -> None:
        """Put down what stands, where that is news: a flash card wears out by thousands of writes a day."""
        standing = self.alerts.standing
        if standing == self._written:
            return
        try:
            await asyncio.to_thread(write_alerts, self._folder, standing)
            self._written = standing
        except StoreError as error:
            logger.warning("The standing alerts are not kept: %s", error)

    def _figures(self) -> dict[str, Figures]:
        return {window: figures_of(self.monitor, window) for window in WINDOWS}

    def acknowledge(self, name: str) -> bool:
        """Note that somebody knows; False where there is no such alert. Raises StoreError."""
        now = self.monitor.now
        return self.alerts.acknowledge(name, now) and acknowledge(self._folder, name, now) is not None

    async def settled(self) -> None:
        """Wait until everything is delivered, or given up."""
        await asyncio.gather(*self._under_way)


async def _watch(drift: Drift, reader: LogReader, every_s: float) -> None:
    """Have the log read for drift, in a thread; what cannot be read now is read later."""
    work = drift.load
    while True:
        try:
            await asyncio.to_thread(work, reader)
            work = drift.look
        except StoreError as error:
            logger.warning("Drift is not watched for now: %s", error)
        except Exception:
            logger.exception("The watch over drift failed; it goes on.")
            work = drift.look
        await asyncio.sleep(every_s)


async def _safely(delivery: Awaitable[None]) -> None:
    """Let no delivery break the round."""
    try:
        await delivery
    except Exception:
        logger.exception("An alert could not be delivered.")
