"""Who watches over the traffic, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.app.drifting import drift_for
from edgewise.app.retraining import retraining_for
from edgewise.domain.places import home
from edgewise.monitors.production import Alerts, ProductionMonitor, rules_for
from edgewise.monitors.production.delivery import deliveries_for
from edgewise.monitors.production.kept import read_alerts
from edgewise.monitors.production.patrol import Patrol

if TYPE_CHECKING:
    from edgewise.settings import Settings


def monitor_for(settings: Settings) -> ProductionMonitor:
    """The monitor, with the watch over drift; nothing is read yet."""
    return ProductionMonitor(
        {c.id: c.location for c in settings.candidates}, budget=settings.budget, drift=drift_for(settings)
    )


def patrol_for(settings: Settings) -> Patrol | None:
    """The patrol; None where `[monitor]` turns it off. Raises SettingsError without the webhook's secret."""
    if not settings.monitor.enabled:
        return None
    monitor = monitor_for(settings)
    alerts = Alerts(rules_for(settings.alerts), read_alerts(home()))
    deliveries = [*deliveries_for(settings.monitor)]
    if (retraining := retraining_for(settings)) is not None:
        deliveries.append(retraining)
    return Patrol(monitor, alerts, deliveries, home())
