"""Who watches over the traffic, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.app.drifting import drift_for
from edgewise.app.retraining import retraining_for
from edgewise.domain.places import home
from edgewise.monitors.production import Alerts, ProductionMonitor, rules_for
from edgewise.monitors.production.delivery import deliveries_for
from edgewise.monitors.production.kept import read_alerts
from edgewise.monitors.production.patrol import Patrol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgewise.monitors.production.alerts import Alert
    from edgewise.settings import Settings
    from edgewise.settings.alerts import Rule


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
    rules = rules_for(settings.alerts)
    alerts = Alerts(rules, _still_ruled(read_alerts(home()), rules))
    deliveries = [*deliveries_for(settings.monitor)]
    if (retraining := retraining_for(settings)) is not None:
        deliveries.append(retraining)
    return Patrol(monitor, alerts, deliveries, home())


def _still_ruled(known: Iterable[Alert], rules: Sequence[Rule]) -> Iterator[Alert]:
    """What stood before a restart, under the rules of now: another figure or window is another alert."""
    by_name = {rule.name: rule for rule in rules}
    for alert in known:
        rule = by_name.get(alert.name)
        if rule is not None and (rule.figure, rule.window) == (alert.figure, alert.window):
            yield replace(alert, limit=rule.band.enter)
