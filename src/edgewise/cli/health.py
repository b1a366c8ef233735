"""`edgewise health`: how the traffic fares, from the log; the exit code says it to programs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import fail, out, print_json, table
from edgewise.cli.drift_lines import drift_lines
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import PathOption, log_path
from edgewise.settings import home, load

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.monitors.production import Figures, Health

WATCH_S = 5.0
CLEAR = "\x1b[H\x1b[2J"


def command(
    *,
    config: ConfigOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Say it again every 5 seconds.")] = False,
    acknowledge: Annotated[
        str | None, typer.Option("--acknowledge", metavar="ALERT", help="Note that you know of an alert.")
    ] = None,
) -> None:
    """Score and status, trends, alerts, costs, and what to change.

    Ends with 0 where the status is excellent or good, 3 fair, 4 poor, 5 critical, 6 too little known.
    """
    if acknowledge is not None:
        _acknowledge(acknowledge)
        return
    health = _health(config, path)
    while watch:
        _show(health, as_json=as_json, clear=not as_json)
        time.sleep(WATCH_S)
        health = _health(config, path)
    _show(health, as_json=as_json)
    raise typer.Exit(health.exit_code)


def _health(config: Path | None, path: Path | None) -> Health:
    from edgewise.app.patrolling import monitor_for  # noqa: PLC0415 - on use
    from edgewise.monitors.production import health_of, rules_for  # noqa: PLC0415 - the same
    from edgewise.monitors.production.alerts import Alerts  # noqa: PLC0415 - the same
    from edgewise.monitors.production.figures import figures_of  # noqa: PLC0415 - the same
    from edgewise.monitors.production.kept import read_alerts  # noqa: PLC0415 - the same
    from edgewise.monitors.production.stored import Tallies  # noqa: PLC0415 - the same
    from edgewise.outcomes.reader import LogReader  # noqa: PLC0415 - the same

    settings = load(config)
    monitor = monitor_for(settings)
    reader = LogReader(log_path(config, path))
    try:
        monitor.load(reader, Tallies(home(), reader))
        if monitor.drift is not None:
            monitor.drift.load(reader)
    finally:
        reader.close()
    rules = rules_for(settings.alerts)
    alerts = Alerts(rules, read_alerts(home()))
    alerts.look(lambda window: figures_of(monitor, window), monitor.now)
    return health_of(monitor, rules, alerts.standing, settings)


def _acknowledge(name: str) -> None:
    from edgewise.monitors.production.kept import acknowledge, read_alerts  # noqa: PLC0415 - rarely asked for

    if acknowledge(home(), name, time.time()) is None:
        names = ", ".join(alert.name for alert in read_alerts(home())) or "none"
        fail(f"No alert {name[:60]!a} stands in the gateway; those that do: {names}.")
    out(f"{name} is acknowledged until it ends.")


def _show(health: Health, *, as_json: bool, clear: bool = False) -> None:
    if as_json:
        print_json(health, indent=2)
        return
    score = "too little is known for a score" if health.score is None else f"{health.score:g}/100"
    out(f"{CLEAR if clear else ''}{health.status.upper()}  {score}  (the last {health.period})")
    rows = [(p.name, f"-{p.lost:g}" if p.lost else "0", f"{p.most:g}", p.sentence) for p in health.parts]
    table("Points lost", ("part", "lost", "of", "why"), rows)
    table("Figures", ("figure", *(f.window for f in health.figures)), _figures(health.figures))
    trends = [
        (
            t.figure,
            _number(t.figure, t.before),
            _number(t.figure, t.now),
            "" if t.p_value is None else f"p = {t.p_value:.3g}",
            t.verdict,
        )
        for t in health.trends
    ]
    table("Trends: the last 12 hours and the 12 before", ("figure", "before", "now", "chance", ""), trends)
    for alert in health.alerts:
        known = "" if alert.acknowledged_at is None else " (acknowledged)"
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(alert.first_at))
        out(f"ALERT {alert.name}{known} since {since}: {alert.sentence}")
    _show_costs(health)
    if health.drift is not None:
        for line in drift_lines(health.drift):
            out(line)
    for number, said in enumerate(health.recommendations, 1):
        out(f"{number}. {said.setting}: {said.advice}.")
        out(f"   Expected: {said.expected}.")


def _show_costs(health: Health) -> None:
    from edgewise.monitors.production.wording import usd  # noqa: PLC0415 - on use

    costs = health.costs
    out(f"Spent: {usd(costs.today)} today, {usd(costs.last_24h)} in 24 h, {usd(costs.last_7d)} in 7 days.")
    if costs.day_projected is not None and costs.month_projected is not None:
        out(f"Projected: {usd(costs.day_projected)} today, {usd(costs.month_projected)} in 30 days.")
    unpriced = f"; calls without a price, in no sum: {costs.unpriced:,}" if costs.unpriced else ""
    out(f"  ({costs.basis}{unpriced})")


def _figures(windows: tuple[Figures, ...]) -> list[tuple[str, ...]]:
    shown = ("requests", "edge_share", "quality", "p50_s", "p95_s", "p99_s", "cost_per_query", "spent_usd",
             "energy_per_query",
             "error_rate", "fallback_rate", "budget_burn", "budget_used")  # fmt: skip
    return [(name, *(_number(name, getattr(window, name)) for window in windows)) for name in shown]


def _number(figure: str, value: float | None) -> str:
    from edgewise.monitors.production.wording import said  # noqa: PLC0415 - on use

    if value is None:
        return "-"
    return f"{value:.2g} x" if figure == "budget_burn" else said(figure, value)
