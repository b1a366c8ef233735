"""Who watches the traffic, and the page for Prometheus that comes of it."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from edgewise.app.patrolling import patrol_for
from edgewise.monitors.metrics import Traffic, page, process_families
from edgewise.monitors.metrics.exposition import counted, single
from edgewise.settings.alerts import rules_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.app.app import App
    from edgewise.domain.decisions import Record
    from edgewise.monitors.metrics import Family
    from edgewise.monitors.production.patrol import Patrol
    from edgewise.settings import Settings


class Watchers(NamedTuple):
    """Whoever sees each record as it is written: the patrol, and who counts for `/metrics`."""

    patrol: Patrol | None
    traffic: Traffic | None

    def observers(self) -> list[Callable[[Record], None]]:
        """What to call with each record."""
        patrol, traffic = self.patrol, self.traffic
        return [
            *([] if patrol is None else [patrol.monitor.observe]),
            *([] if traffic is None else [traffic.observe]),
        ]

    def begin(self, app: App) -> asyncio.Task[None] | None:
        """The patrol's rounds; whoever begins them cancels them."""
        if self.patrol is None:
            return None
        return asyncio.create_task(self.patrol.run(app.reader, app.settings.monitor.every_s))

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
    """Who watches, as `[monitor]` says. Raises SettingsError where a secret is missing."""
    traffic = None
    if settings.monitor.metrics:
        traffic = Traffic({c.id: c.location for c in settings.candidates})
    return Watchers(patrol_for(settings), traffic)


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
