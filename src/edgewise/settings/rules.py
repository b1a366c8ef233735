"""What is checked of `[budget]` and `[constraints]`."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import BudgetSettings, RuleSettings, Settings


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Everything in these two sections that cannot be run."""
    yield from _budget(settings.budget)
    yield from _above_nought("constraints.deadline_s", settings.constraints.deadline_s)
    for index, rule in enumerate(settings.constraints.rules):
        yield from _rule(f"constraints.rules[{index}]", rule)


def _budget(budget: BudgetSettings) -> Iterator[Complaint]:
    yield from _above_nought("budget.usd_per_day", budget.usd_per_day)
    yield from _above_nought("budget.usd_per_request", budget.usd_per_request)
    if not 0.0 < budget.constrained_at <= 1.0:
        yield expected("budget.constrained_at", budget.constrained_at, "a share above 0, up to 1")
    if not budget.constrained_at <= budget.critical_at <= 1.0:
        yield expected("budget.critical_at", budget.critical_at, "a share from constrained_at up to 1")
    try:
        ZoneInfo(budget.time_zone)
    except (KeyError, ValueError, OSError):  # an unknown name, an odd one, a folder
        yield expected("budget.time_zone", budget.time_zone, "a name such as UTC or Europe/Berlin")


def _rule(here: str, rule: RuleSettings) -> Iterator[Complaint]:
    if not rule.name.strip() or not rule.name.isprintable():
        yield expected(f"{here}.name", rule.name, "a text on one line that is not empty")
    if bool(rule.allow) == bool(rule.deny):
        found = "has allow and deny" if rule.allow else "has neither allow nor deny"
        yield Complaint(here, found, 'expected one of them, such as deny = { location = ["cloud"] }')
    for side in ("allow", "deny"):
        for key, values in getattr(rule, side).items():
            if not values:
                yield Complaint(f"{here}.{side}.{key}", "is empty", "expected at least one value")


def _above_nought(key: str, value: float | None) -> Iterator[Complaint]:
    if value is not None and not 0.0 < value < inf:
        yield expected(key, value, "a number above 0")
