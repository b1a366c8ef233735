"""`edgewise deploy --status`: what is deployed, whether it can be served, and how its trial goes."""

from __future__ import annotations

from math import isnan
from time import localtime, strftime
from typing import TYPE_CHECKING

from edgewise.cli.console import out, print_json, table
from edgewise.cli.stored import log_path
from edgewise.outcomes.plain import plain
from edgewise.outcomes.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgewise.domain.decisions import Estimate
    from edgewise.learning.deploy import Entry, Store, Trial
    from edgewise.learning.deploy.compare import CanaryReport, Compared
    from edgewise.learning.deploy.state import State
    from edgewise.learning.deploy.watched import Asked, ShadowReport


def show(store: Store, config: Path | None, *, as_json: bool) -> None:
    """Print the state, its problem if it cannot be served, the trial's figures, and the history."""
    from edgewise.learning.deploy import learned, problem_of  # noqa: PLC0415 - loaded when used
    from edgewise.policies import make  # noqa: PLC0415 - the same

    state = store.state()
    problem = problem_of(store, learned, make("complexity"))
    report = None if state.trial is None else _report(state.trial, log_path(config, None))
    if as_json:
        print_json({"state": state, "problem": problem, "report": report})
        return
    out(f"In charge: {_named(state.current, state)}")
    if problem is not None:
        out(f"  This cannot be served, a gateway stays with what it served before: {plain(problem)}")
    if state.trial is not None:
        _print_trial(state.trial, state, report)
    rows = [
        (_moment(e.at), _kind(e), e.version or "-", e.bundle or "-", _share(e), e.source or "")
        for e in state.history
    ]
    if rows:
        table("History", ("when", "step", "version", "bundle", "share", "from"), rows)


def _kind(entry: Entry) -> str:
    return f"{entry.mode}, asks" if entry.ask else entry.mode


def _share(entry: Entry) -> str:
    return "" if entry.mode == "rollback" else f"{entry.share:.0%}"


def _named(version: str | None, state: State) -> str:
    """`v2 (bundle 1a2b)`: the log's policies go by the bundle's name."""
    if version is None:
        return "no bundle, the complexity rule decides"
    bundle = next((e.bundle for e in reversed(state.history) if e.version == version and e.bundle), None)
    return f"{version} (bundle {bundle})" if bundle else version


def _report(trial: Trial, log: Path) -> CanaryReport | ShadowReport | None:
    from edgewise.learning.deploy.compare import compare  # noqa: PLC0415 - numpy is an extra
    from edgewise.learning.deploy.watched import watch  # noqa: PLC0415 - the same

    if not log.exists():
        return None
    stories = LogReader(log).stories(after=trial.since)
    return (compare if trial.mode == "canary" else watch)(stories, since=trial.since)


def _print_trial(trial: Trial, state: State, report: CanaryReport | ShadowReport | None) -> None:
    from edgewise.learning.deploy.watched import ShadowReport  # noqa: PLC0415 - numpy is an extra

    asks = " (asks, too)" if trial.ask else ""
    out(
        f"On trial: {_named(trial.version, state)}, {trial.mode}{asks} on {trial.share:.0%} "
        f"since {_moment(trial.since)}"
    )
    if report is None:
        out("  The outcome log does not exist yet.")
    elif isinstance(report, ShadowReport):
        same = report.agreement
        chose = "" if isnan(same.mean) else f"; it would have chosen the same in {_percent(same)}"
        out(f"  {report.watched:,} decisions watched, {report.failed:,} failures{chose}")
        if report.asked is not None:
            _print_asked(report.asked)
    else:
        out(
            f"  {report.canary:,} decisions by the canary, {report.incumbent:,} by the incumbent; "
            f"the canary failed {report.failed:,} times"
        )
        _print_measures("Canary and incumbent (means with 95 % intervals)", "canary", report.measures)


def _print_asked(asked: Asked) -> None:
    unpriced = f", {asked.unpriced:,} without a known cost" if asked.unpriced else ""
    out(
        f"  to be asked, too: {asked.wanted:,}; {asked.answered:,} answered, {asked.errors:,} failed, the "
        f"others were dropped under load or are under way; cost ${asked.cost_usd:.6f}{unpriced}"
    )
    title = "Shadow and incumbent on the prompts that both answered (means with 95 % intervals)"
    _print_measures(title, "shadow", asked.measures)


def _print_measures(title: str, newcomer: str, measures: Mapping[str, Compared]) -> None:
    rows = [
        (
            name,
            *(_shown(e) for e in (m.canary, m.incumbent, m.difference)),
            f"{m.sessions[0]:,} / {m.sessions[1]:,}",
            m.verdict,
        )
        for name, m in measures.items()
    ]
    if rows:
        table(title, ("", newcomer, "incumbent", "difference", "sessions", "verdict"), rows)


def _shown(estimate: Estimate) -> str:
    """The mean, and below it the interval: a row of these fits a terminal."""
    if isnan(estimate.mean):
        return "unknown"
    return f"{estimate.mean:.3g}\n{estimate.low:.3g} to {estimate.high:.3g}"


def _percent(share: Estimate) -> str:
    return f"{share.mean:.1%} ({share.low:.1%} to {share.high:.1%})"


def _moment(at: float) -> str:
    return strftime("%Y-%m-%d %H:%M:%S", localtime(at))
