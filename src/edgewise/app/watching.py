"""Who watches the traffic, and the page for Prometheus that comes of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from edgewise.app.patrolling import patrol_for
from edgewise.monitors.metrics import Traffic, page, process_families
from edgewise.monitors.metrics.exposition import counted, single
from edgewise.monitors.traces import Traces
from edgewise.monitors.traces.otlp import Exporter
from edgewise.monitors.traces.otlp import exporter as otlp
from edgewise.monitors.traces.words import Server
from edgewise.settings.alerts import rules_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from edgewise.app.app import App
    from edgewise.domain.decisions import Record
    from edgewise.monitors.metrics import Family
    from edgewise.monitors.production.patrol import Patrol
    from edgewise.settings import Settings


class Watchers(NamedTuple):
    """Whoever sees each record as it is written: the patrol, who counts for `/metrics`, who traces."""

    patrol: Patrol | None
    traffic: Traffic | None
    exporter: Exporter | None = None
    traces: Traces | None = None

    def observers(self) -> list[Callable[[Record], None]]:
        """What to call with each record."""
        monitor = None if self.patrol is None else self.patrol.monitor
        return [each.observe for each in (monitor, self.traffic, self.traces) if each is not None]

    @asynccontextmanager
    async def on(self, app: App) -> AsyncGenerator[None]:
        """The patrol makes its rounds; at the end, what is still to be told is told."""
        rounds = None
        if self.patrol is not None:
            rounds = asyncio.create_task(self.patrol.run(app.reader, app.settings.monitor.every_s))
        try:
            yield
        finally:
            if rounds is not None:
                rounds.cancel()
            if self.exporter is not None:
                await asyncio.to_thread(self.exporter.close)

    def metrics(self, app: App) -> Callable[[], bytes] | None:
        """What makes the page for Prometheus."""
        traffic, patrol = self.traffic, self.patrol
        if traffic is None:
            return None

        def made() -> bytes:
            families = [*traffic.families(), *_state(app)]
            if patrol is not None:
                families += _watched(patrol, app.settings)
            return page([*families, *process_families()])

        return made


def watchers_for(settings: Settings) -> Watchers:
    """Who watches, as `[monitor]` says. Raises SettingsError, and MissingExtra."""
    traffic = exporter = traces = None
    if settings.monitor.metrics:
        traffic = Traffic({c.id: c.location for c in settings.candidates})
    if settings.monitor.traces:
        exporter = otlp()
        traces = Traces({c.id: Server.of(c) for c in settings.candidates}, exporter)
    return Watchers(patrol_for(settings), traffic, exporter, traces)


def _state(app: App) -> list[Family]:
    """The gateway and the device under it."""
    signals = [
        ({"signal": name, "candidate": candidate, "unit": signal.unit}, signal.value)
        for known, signal in app.world.signals().items()
        if signal.value is not None
        for name, _, candidate in [known.partition(":")]
    ]
    return [
        counted("edgewise_info", [({"version": version("edgewise")}, 1)]),
        single("edgewise_ready", int(app.problem() is None)),
        single("edgewise_warnings", len(app.warnings())),
        counted("edgewise_signal", signals),
    ]


def _watched(patrol: Patrol, settings: Settings) -> list[Family]:
    """Edgewise's own alerts, and the money."""
    standing = {alert.name for alert in patrol.alerts.standing}
    ledger = patrol.monitor.ledger
    budget = [] if ledger.usd_per_day is None else [ledger.usd_per_day]
    return [
        counted(
            "edgewise_alert",
            [({"alert": rule.name}, int(rule.name in standing)) for rule in rules_for(settings.alerts)],
        ),
        single("edgewise_budget_usd", *budget),
        single("edgewise_spent_today_usd", ledger.today.usd),
    ]
