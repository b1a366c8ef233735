"""From where on a figure of the traffic means trouble: the defaults, and how `[[alerts]]` changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.settings.levels import LEAVE_AT, Band
from edgewise.settings.monitoring import Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.settings.monitoring import AlertSettings

# Figure → whether trouble lies below.
LOW_IS_BAD: Final = {
    "edge_share": True,
    "quality": True,
    "p50_s": False,
    "p95_s": False,
    "p99_s": False,
    "cost_per_query": False,
    "error_rate": False,
    "fallback_rate": False,
    "budget_burn": False,
    "budget_used": False,
    "energy_per_query": False,
    "prompt_psi": False,
    "far_share": False,
    "quality_shift": False,
    "latency_shift": False,
}
# What the watch over drift tells, of the last 24 hours only.
DRIFT: Final = ("prompt_psi", "far_share", "quality_shift", "latency_shift")
LEAST: Final = 30


class Rule(Struct, frozen=True):
    """When an alert begins and ends: where `figure` over `window` enters and leaves `band`.

    With fewer than `least` samples in the window nothing is said, and nothing changes.
    """

    name: str
    figure: str
    window: Window
    band: Band
    least: int = LEAST


# The first four are the published defaults of the hybrid system (80 %, 85 %, $0.01, 150 ms).
DEFAULTS: Final = (
    Rule("edge-share", "edge_share", "1h", Band(0.80, 0.84), 50),
    Rule("quality", "quality", "24h", Band(0.85, 0.87)),
    Rule("cost", "cost_per_query", "1h", Band(0.01, 0.009), 50),
    Rule("latency", "p95_s", "5m", Band(0.150, 0.135), 50),
    Rule("errors", "error_rate", "5m", Band(0.05, 0.03), 20),
    Rule("fallbacks", "fallback_rate", "1h", Band(0.10, 0.06), 50),
    Rule("budget-burn", "budget_burn", "1h", Band(2.0, 1.5), 20),
    Rule("budget-used", "budget_used", "24h", Band(0.90, 0.85), 1),
    Rule("drift-prompts", "prompt_psi", "24h", Band(0.25, 0.20), 200),
    Rule("drift-far", "far_share", "24h", Band(0.10, 0.07), 100),
    Rule("drift-quality", "quality_shift", "24h", Band(0.05, 0.03)),
    Rule("drift-latency", "latency_shift", "24h", Band(1.20, 1.15), 100),
)


def rules_for(given: Iterable[AlertSettings]) -> tuple[Rule, ...]:
    """The defaults as changed, then one's own; without those that are not enabled."""
    rules: dict[str, Rule | None] = {rule.name: rule for rule in DEFAULTS}
    for alert in given:
        rules[alert.name] = _rule(alert, rules.get(alert.name)) if alert.enabled else None
    return tuple(rule for rule in rules.values() if rule is not None)


def _rule(given: AlertSettings, default: Rule | None) -> Rule | None:
    """None where something is missing, which `monitor_complaints` says."""
    figure = given.figure or (default.figure if default is not None else None)
    if figure is None:
        return None
    enter = given.above if given.below is None else given.below
    if enter is None:
        if default is None:
            return None
        enter = default.band.enter
    leave = given.leave
    if leave is None and default is not None and enter == default.band.enter:
        leave = default.band.leave
    if leave is None:
        leave = enter / LEAVE_AT if LOW_IS_BAD.get(figure) else enter * LEAVE_AT
    window = given.window or (default.window if default is not None else "24h" if figure in DRIFT else "1h")
    least = given.least if given.least is not None else default.least if default is not None else LEAST
    return Rule(given.name, figure, window, Band(enter, leave), least)
