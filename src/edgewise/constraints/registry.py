"""The constraints that a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.constraints.budget import Budget
from edgewise.constraints.capability import Capability
from edgewise.constraints.circuit import Circuit
from edgewise.constraints.connectivity import Connectivity
from edgewise.constraints.energy import EnergyBudget, leanest
from edgewise.constraints.latency import Latency
from edgewise.constraints.pin import Pin
from edgewise.constraints.privacy import Privacy
from edgewise.constraints.queue import Queue
from edgewise.constraints.resources import Resources
from edgewise.constraints.rules import Rule
from edgewise.settings.candidates import describe
from edgewise.settings.plugins import made

if TYPE_CHECKING:
    from edgewise.domain.protocols import Constraint
    from edgewise.settings.schema import Settings


def constraints_for(settings: Settings) -> tuple[Constraint, ...]:
    """Every rule that holds under these settings; those that can never object are left out.

    Raises SettingsError for a custom one that cannot be made.
    """
    asked, budget = settings.constraints, settings.budget
    found: list[Constraint] = [Privacy(), Pin(), Capability(), Circuit()]
    if asked.connectivity != "off":
        found.append(Connectivity())
    if asked.resources != "off":
        found.append(Resources(hard=asked.resources == "hard"))
        found.append(Queue())
    if budget.usd_per_day is not None or budget.usd_per_request is not None:
        found.append(Budget(budget.usd_per_day, budget.usd_per_request))
    if budget.joules_per_day is not None and (least := _leanest(settings)) is not None:
        found.append(EnergyBudget(budget.joules_per_day, least))
    found.append(Latency(asked.deadline_s))
    found.extend(Rule(rule.name, rule.when, rule.allow, rule.deny) for rule in asked.rules)
    for index, custom in enumerate(asked.custom):
        section = f"constraints.custom[{index}].name"
        found.append(made("edgewise.constraints", custom.name, custom.options, section=section))
    return tuple(found)


def _leanest(settings: Settings) -> str | None:
    """Who takes the least energy; a model in a process of ours keeps a core busy while it answers."""
    own = {c.id for c in settings.candidates if c.embedded is not None and c.power_watts is None}
    watts = dict.fromkeys(own, settings.energy.watts_per_core)
    return leanest(map(describe, settings.candidates), watts)
