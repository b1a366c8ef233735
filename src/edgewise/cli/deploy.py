"""`edgewise deploy`: put a bundle in charge, try it first, or undo it."""

from __future__ import annotations

from math import isnan
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from time import localtime, strftime
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import fail, out, print_json, table
from edgewise.cli.extras import need_learning
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import log_path
from edgewise.learning.deploy import FOLDER, Store
from edgewise.outcomes.plain import plain
from edgewise.outcomes.reader import LogReader
from edgewise.settings import home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.decisions import Estimate
    from edgewise.learning.deploy import Entry, Trial
    from edgewise.learning.deploy.compare import CanaryReport, Compared
    from edgewise.learning.deploy.state import State
    from edgewise.learning.deploy.watched import Asked, ShadowReport


def command(  # noqa: PLR0913 - one argument an option
    bundle: Annotated[Path | None, typer.Argument(help="The folder that `edgewise train` wrote.")] = None,
    *,
    shadow: Annotated[
        float | None, typer.Option(help="Only watch it, on this share of sessions.", min=0, max=1)
    ] = None,
    canary: Annotated[
        float | None, typer.Option(help="Let it decide for this share of sessions.", min=0, max=1)
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="With --shadow: ask what it would choose, too, and book the cost.")
    ] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Undo the latest step.")] = False,
    status: Annotated[bool, typer.Option("--status", help="What is deployed, and how a trial goes.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a bundle in charge of the gateways that follow this state folder, try it first, or undo it."""
    if sum((bundle is not None, rollback, status)) != 1:
        fail("Give one of: a bundle's folder, --rollback, --status.")
    if bundle is None and (shadow is not None or canary is not None):
        fail("--shadow and --canary try a bundle; give its folder, too.")
    if shadow is not None and canary is not None:
        fail("Give --shadow or --canary, not both.")
    if ask and shadow is None:
        fail("--ask belongs to --shadow; what a canary chooses is asked anyway.")
    need_learning()
    store = Store(home() / FOLDER)
    if status:
        _status(store, config, as_json=as_json)
        return
    if bundle is None:
        entry = store.rollback()
    elif shadow is not None:
        entry = store.attempt(bundle, "shadow", shadow, ask=ask)
    elif canary is not None:
        entry = store.attempt(bundle, "canary", canary)
    else:
        entry = store.promote(bundle)
    if as_json:
        print_json(entry)
    else:
        out(_told(entry))


def _told(entry: Entry) -> str:
    named = f"{entry.version} (bundle {entry.bundle})"
    if entry.mode == "rollback":
        return f"{named} is in charge again." if entry.version else "No bundle is in charge any more."
    if entry.mode == "full":
        return f"{named} is in charge."
    if entry.mode == "canary":
        return f"{named} decides for {entry.share:.0%} of the sessions; `deploy --status` compares."
    asks = ", and what it would choose is asked, too" if entry.ask else ""
    return f"{named} is watched on {entry.share:.0%} of the sessions{asks}; `deploy --status` tells."


def _status(store: Store, config: Path | None, *, as_json: bool) -> None:
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
        (_moment(e.at), _step(e), e.version or "-", e.bundle or "-", f"{e.share:.0%}", e.source or "")
        for e in state.history
    ]
    if rows:
        table("History", ("when", "step", "version", "bundle", "share", "from"), rows)


def _step(entry: Entry) -> str:
    return f"{entry.mode}, asks" if entry.ask else entry.mode


def _named(version: str | None, state: State) -> str:
    """`v2 (bundle 1a2b)`: the log's policies go by the bundle's name."""
    if version is None:
        return "no bundle; the complexity rule decides"
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
        out(
            f"  {report.watched:,} decisions watched, {report.failed:,} failures; it would have chosen the "
            f"same in {_shown(report.agreement)}"
        )
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
    if isnan(estimate.mean):
        return "unknown"
    return f"{estimate.mean:.4g} ({estimate.low:.4g} to {estimate.high:.4g})"


def _moment(at: float) -> str:
    return strftime("%Y-%m-%d %H:%M:%S", localtime(at))
