"""Judging from the command line: whom to ask, a bar, Ctrl-C, and the table at the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.cli.console import err
from edgewise.cli.judge_progress import Tally, watching
from edgewise.cli.progress import stoppable
from edgewise.domain.errors import SettingsError, TableError
from edgewise.domain.places import home
from edgewise.settings import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgewise.domain.protocols import Upstream
    from edgewise.learning.judge import Panel
    from edgewise.learning.judge.answers import Answer
    from edgewise.learning.judge.panel import Combine
    from edgewise.learning.judge.run import Found
    from edgewise.learning.judge.work import Estimate, Options
    from edgewise.settings import Settings

JSONL = ".jsonl"


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, and within which bounds."""

    judges: tuple[str, ...]
    budget_usd: float | None = None
    concurrency: int = 4
    retries: int = 2
    timeout_s: float = 120.0
    combine: Combine = "mean"


@dataclass(slots=True)
class Judging:
    """What came of it: the panel that was asked, if one was, and the signal that ended it early."""

    panel: Panel | None = None
    halted: str | None = None
    notes: list[str] = field(default_factory=list[str])


def chosen(settings: Settings, names: Sequence[str]) -> None:
    """Raise `SettingsError` where a judge is none of the configured candidates that talk."""
    chat = [c.id for c in settings.candidates if c.kind == "chat"]
    for name in names:
        if name not in chat:
            raise SettingsError(f"There is no candidate '{name}' to judge by; there are {', '.join(chat)}.")


def panel_for(
    settings: Settings,
    upstreams: Mapping[str, Upstream],
    asking: Asking,
    answers: Sequence[Answer],
    **more: Any,
) -> Panel:
    """The panel. Raises `SettingsError` where it cannot be paid from the budget."""
    from edgewise.learning.judge import Judge, Panel, Purse  # noqa: PLC0415 - loads when something is judged
    from edgewise.learning.judge.answers import names_in  # noqa: PLC0415 - the same
    from edgewise.learning.judge.asking import problem_of  # noqa: PLC0415 - the same

    known = {c.id: describe(c) for c in settings.candidates}
    purse = Purse(asking.budget_usd)
    judges = [
        Judge(known[name], upstreams[name], retries=asking.retries, timeout_s=asking.timeout_s)
        for name in asking.judges
    ]
    for judge in judges:
        if (problem := problem_of(judge, purse)) is not None:
            raise SettingsError(problem)
    names = names_in(answers) | {c.model for c in known.values() if c.model}
    return Panel(judges, purse, names=names, combine=asking.combine, at_once=asking.concurrency, **more)


async def judged(settings: Settings, found: Found, asking: Asking, options: Options) -> Judging:
    """Ask about all that is left. What was judged stays, however this ends."""
    from edgewise.app import App  # noqa: PLC0415 - loaded only when somebody is asked
    from edgewise.learning.judge import Kept  # noqa: PLC0415 - the same
    from edgewise.learning.judge.kept import FILE  # noqa: PLC0415 - the same
    from edgewise.learning.judge.pairs import compare, pairs_of, shown  # noqa: PLC0415 - the same
    from edgewise.learning.judge.run import asked  # noqa: PLC0415 - the same
    from edgewise.learning.judge.work import tasks  # noqa: PLC0415 - the same

    async with App(settings) as app:
        with Kept(home() / FILE) as kept:
            panel = panel_for(settings, app.upstreams.by_id, asking, found.answers, kept=kept)
            todo = tasks(found.answers, found.settled(), options)
            duels = pairs_of(found.answers, options.most_pairs, options.seed) if options.pairwise else []
            if asking.budget_usd is not None:  # it is the table's, however often this was ended
                each = [(task.rubric, task.shown(panel), task.repeats) for task in todo]
                each += [(rubric, texts, repeats) for rubric, texts, _, repeats in shown(panel, duels)]
                panel.purse.before = sum(starmap(panel.kept_usd, each))
            total = sum(task.repeats for task in todo) + 2 * len(duels)
            tally = Tally(total * len(panel.judges), panel.purse)
            panel.heard = tally.heard

            def halt() -> None:
                panel.stopped = "It was ended before this was judged."

            with stoppable(halt) as heard, watching(tally):
                try:
                    if duels:
                        found.tournament = await compare(panel, duels)
                    await asked(found, panel, options)
                except asyncio.CancelledError:
                    if not heard:
                        raise
            return Judging(panel, heard[0] if heard else None, _notes(panel, tally))


def estimated(settings: Settings, found: Found, asking: Asking, options: Options) -> list[Estimate]:
    """What asking would take; nobody is asked."""
    from edgewise.learning.judge import Kept  # noqa: PLC0415 - loads when something is judged
    from edgewise.learning.judge.kept import FILE  # noqa: PLC0415 - the same
    from edgewise.learning.judge.pairs import pairs_of, shown  # noqa: PLC0415 - the same
    from edgewise.learning.judge.work import estimates, tasks  # noqa: PLC0415 - the same

    path = home() / FILE
    with Kept(path) as kept:
        more = {"kept": kept} if path.exists() else {}
        nobody: dict[str, Any] = dict.fromkeys(asking.judges)
        panel = panel_for(settings, nobody, asking, found.answers, **more)
        todo = tasks(found.answers, found.settled(), options)
        duels = pairs_of(found.answers, options.most_pairs, options.seed) if options.pairwise else []
        each = [(task.rubric, task.shown(panel), task.privacy, task.repeats) for task in todo]
        return estimates([*each, *shown(panel, duels)], panel, asking.concurrency)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines: the file is whole or not there."""
    from edgewise.outcomes.aside import aside  # noqa: PLC0415 - loads when something is written

    encode = msgspec.json.Encoder(enc_hook=str).encode
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(str(path)) as file:
            for row in rows:
                file.write(encode(row) + b"\n")
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror or error}.") from error


def output_for(what: Path, output: Path | None) -> Path:
    """Where the judged table goes: beside a profile's rows, or where it was said. Raises `TableError`."""
    if output is None:
        if not what.is_dir():
            raise TableError("Say where the judged table goes: -o TABLE.jsonl.")
        return what / "judged.jsonl"
    if not output.name.endswith(JSONL):
        raise TableError(
            f"The judged table is JSON lines; give a name that ends in {JSONL}, not {output.name}."
        )
    if output.resolve() == (what / "outcomes.jsonl" if what.is_dir() else what).resolve():
        raise TableError(f"{output} is the table that is judged; give the judged one another name.")
    return output


def _notes(panel: Panel, tally: Tally) -> list[str]:
    calls = sum(judge.calls for judge in panel.judges)
    unpriced = " by judges without a price, which are in no sum" if panel.purse.unpriced else ""
    notes = [
        f"{calls:,} calls were made{unpriced}, ${panel.purse.spent:.4f} spent; "
        f"{tally.kept:,} verdicts were kept from before."
    ]
    notes += [judge.gone for judge in panel.judges if judge.gone is not None]
    if panel.stopped is not None:
        notes.append(panel.stopped)
    return notes


def tell(notes: Sequence[str]) -> None:
    """Say each on standard error."""
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - what judges said may hold anything

    for note in notes:
        err(plain(note))
