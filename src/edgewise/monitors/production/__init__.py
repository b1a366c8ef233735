"""How the traffic fares: figures over four windows, alerts, a health score, all from the outcome log."""

from __future__ import annotations

from edgewise.monitors.production.alerts import Alert, Alerts
from edgewise.monitors.production.figures import WINDOWS, Figures, figures_of
from edgewise.monitors.production.health import Health, health_of
from edgewise.monitors.production.monitor import ProductionMonitor
from edgewise.settings.alerts import Rule, rules_for

__all__ = [
    "WINDOWS",
    "Alert",
    "Alerts",
    "Figures",
    "Health",
    "ProductionMonitor",
    "Rule",
    "figures_of",
    "health_of",
    "rules_for",
]
