"""What is checked of `[monitor]` and `[[alerts]]`."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Final

from edgewise.settings.alerts import DEFAULTS, DRIFT, LOW_IS_BAD, rules_for
from edgewise.settings.complaints import Complaint, either, expected
from edgewise.settings.secrecy import looks_secret
from edgewise.settings.urls import url_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.monitoring import AlertSettings, MonitorSettings
    from edgewise.settings.schema import Settings

VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def monitor_complaints(settings: Settings) -> Iterator[Complaint]:
    """Everything in these two sections that cannot be run."""
    yield from _monitor(settings.monitor)
    if settings.monitor.retrain is not None and settings.store.prompts != "full":
        yield Complaint(
            "monitor.retrain",
            f"needs prompts, and the log keeps none (store.prompts is '{settings.store.prompts}')",
            'expected store.prompts = "full" beside it',
        )
    seen: set[str] = set()
    for index, alert in enumerate(settings.alerts):
        here = f"alerts[{index}]"
        if not NAME.fullmatch(alert.name):
            yield expected(f"{here}.name", alert.name, "lower-case letters, digits, - and _")
        if alert.name in seen:
            yield expected(f"{here}.name", alert.name, "a name that no other of the alerts has")
        seen.add(alert.name)
        yield from _alert(here, alert)


def _monitor(monitor: MonitorSettings) -> Iterator[Complaint]:
    if not 1.0 <= monitor.every_s < inf:
        yield expected("monitor.every_s", monitor.every_s, "a number of 1 or more")
    if monitor.webhook is not None and (problem := url_problem(monitor.webhook)):
        yield Complaint("monitor.webhook", *problem)
    variable = monitor.secret_env
    if variable is not None and (not VARIABLE.fullmatch(variable) or looks_secret(variable)):
        yield Complaint(
            "monitor.secret_env",
            "is not the name of an environment variable",
            "expected a name such as EDGEWISE_WEBHOOK_SECRET, and the secret itself in the environment",
        )
    if monitor.webhook is not None and variable is None:
        yield Complaint("monitor.secret_env", "is missing", "expected it beside webhook, which is signed")
    if monitor.retrain is not None and not monitor.retrain.strip():
        yield expected("monitor.retrain", monitor.retrain, "a folder")
    if monitor.command and not monitor.command[0].strip():
        yield expected("monitor.command[0]", monitor.command[0], "a program")


def _alert(here: str, alert: AlertSettings) -> Iterator[Complaint]:
    known = {rule.name: rule for rule in DEFAULTS}.get(alert.name)
    if alert.figure is not None and alert.figure not in LOW_IS_BAD:
        yield expected(f"{here}.figure", alert.figure, either(LOW_IS_BAD))
        return
    if alert.least is not None and alert.least < 1:
        yield expected(f"{here}.least", alert.least, "a whole number of 1 or more")
    figure = alert.figure or (known.figure if known is not None else None)
    if figure is None:
        yield Complaint(f"{here}.figure", "is missing", f"expected {either(LOW_IS_BAD)}")
        return
    if figure in DRIFT and alert.window not in (None, "24h"):
        yield expected(f"{here}.window", alert.window, '"24h", over which drift is watched')
    right, wrong = ("below", "above") if LOW_IS_BAD[figure] else ("above", "below")
    if getattr(alert, wrong) is not None:
        yield Complaint(f"{here}.{wrong}", "has no effect", f"expected {right}, where {figure} is bad")
    elif getattr(alert, right) is None and (known is None or known.figure != figure):
        yield Complaint(f"{here}.{right}", "is missing", "expected the number at which the alert begins")
    else:
        yield from _band(here, alert, right)


def _band(here: str, alert: AlertSettings, side: str) -> Iterator[Complaint]:
    for rule in rules_for((alert,)):
        if rule.name != alert.name:
            continue
        enter, leave = rule.band.enter, rule.band.leave
        if not 0.0 < enter < inf:
            yield expected(f"{here}.{side}", enter, "a number above 0")
        elif not ((enter < leave < inf) if side == "below" else (0.0 <= leave < enter)):
            better = "above" if side == "below" else "below"
            yield expected(f"{here}.leave", leave, f"a number {better} {enter:g}, where the alert begins")
