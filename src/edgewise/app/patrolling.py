"""Who watches over the traffic, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.places import home
from edgewise.monitors.production import Alerts, ProductionMonitor, rules_for
from edgewise.monitors.production.delivery import deliveries_for
from edgewise.monitors.production.kept import read_alerts
from edgewise.monitors.production.patrol import Patrol

if TYPE_CHECKING:
    from edgewise.settings import Settings


def patrol_for(settings: Settings) -> Patrol | None:
    """The patrol; None where `[monitor]` turns it off. Raises SettingsError without the webhook's secret."""
    if not settings.monitor.enabled:
        return None
    monitor = ProductionMonitor({c.id: c.location for c in settings.candidates}, budget=settings.budget)
    alerts = Alerts(rules_for(settings.alerts), read_alerts(home()))
    return Patrol(monitor, alerts, deliveries_for(settings.monitor), home())
