"""`edgewise judge`: how good answers are, by graders, people and language models."""

from __future__ import annotations

from functools import partial
from pathlib import Path  # noqa: TC003 - Typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, fail, out, print_json, table
from edgewise.cli.extras import need_drawing, need_learning
from edgewise.cli.judging import Asking, Judging, chosen, estimated, judged, output_for, tell, write_table
from edgewise.cli.setup import ConfigOption, JsonOption, naming, run, settings_or_found

if TYPE_CHECKING:
    from edgewise.learning.judge.report import JudgeReport
    from edgewise.learning.judge.run import Found
    from edgewise.learning.judge.work import Estimate, Options

INTERRUPTED = 130
COMBINED = ("mean", "median")
ESTIMATED = ("judge", "calls", "kept already", "private", "cost", "at most", "time (assumed)")


def command(  # noqa: PLR0913 - one argument an option
    what: Annotated[Path, typer.Argument(metavar="DIR|TABLE", help="A profile, or a table with `response`.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The judged table, .jsonl (default: DIR/judged.jsonl)."),
    ] = None,
    by: Annotated[list[str] | None, typer.Option(help="A candidate that judges; may be repeated.")] = None,
    graders_only: Annotated[
        bool, typer.Option("--graders-only", help="Grade what can be verified, and ask nobody.")
    ] = False,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Let graders run code that models wrote, within limits.")
    ] = False,
    ratings: Annotated[
        list[Path] | None, typer.Option(help="A CSV of people's ratings; may be repeated.")
    ] = None,
    write_ratings: Annotated[
        Path | None, typer.Option(help="Write a CSV for people to fill in, and do nothing else.")
    ] = None,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="Rate answers here, key by key.")] = False,
    stars: Annotated[bool, typer.Option("--stars", help="With --by-hand: keys are half stars.")] = False,
    rater: Annotated[str, typer.Option(help="With --by-hand: who rates.")] = "",
    pairwise: Annotated[
        bool, typer.Option("--pairwise", help="Compare answers in place of scoring them.")
    ] = False,
    pairs: Annotated[
        int | None, typer.Option(min=1, help="With --pairwise: compare at most so many.")
    ] = None,
    critic: Annotated[bool, typer.Option("--critic", help="Ask for a QoS of edge and cloud, too.")] = False,
    criticality: Annotated[bool, typer.Option(help="Let judges rate how critical prompts are.")] = True,
    combine: Annotated[str, typer.Option(help="How several judges become one: mean or median.")] = "mean",
    repeats: Annotated[int, typer.Option(min=1, help="How often each judge judges the sample.")] = 2,
    repeat_sample: Annotated[int, typer.Option(min=0, help="So many answers are judged again.")] = 50,
    audit: Annotated[
        int, typer.Option(min=0, help="So many answers with a grade or a rating are judged, too.")
    ] = 50,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="What judges may cost, in USD.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and ask nobody.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Questions at a time at one endpoint.")] = 4,
    retries: Annotated[int, typer.Option(min=0, help="Tries more where there is no verdict.")] = 2,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds that a verdict may take.")] = 120.0,
    again: Annotated[
        bool, typer.Option("--again", help="Do not count the qualities that the table has.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of every order and every sample.")] = 0,
    columns: Annotated[str, typer.Option(help="Other column names: response=text,candidate=model.")] = "",
    quality_scale: Annotated[float, typer.Option(help="The quality of a perfect answer in the table.")] = 1.0,
    report: Annotated[Path | None, typer.Option(help="A folder for JSON, PNG and HTML.")] = None,
    plots: Annotated[bool, typer.Option(help="Draw a profile's pictures anew, with quality.")] = True,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge answers: by what can be verified, then by people, then by language models.

    The same command goes on where it was ended; nothing is judged twice.
    """
    need_learning()
    from edgewise.learning.judge.answers import read_answers, table_in  # noqa: PLC0415 - needs the extra
    from edgewise.learning.judge.run import Found  # noqa: PLC0415 - the same
    from edgewise.learning.judge.work import Options  # noqa: PLC0415 - the same
    from edgewise.learning.tables import layout_of  # noqa: PLC0415 - the same

    judges = tuple(name for each in by or () for name in each.split(",") if name)
    _check(judges, combine, graders_only=graders_only, needs_judges=pairwise or critic)
    layout = layout_of(columns=columns, wide="", quality_scale=quality_scale, edge="")
    source = table_in(what)
    answers = read_answers(source, columns=layout.columns, quality_scale=quality_scale, again=again)
    found = Found(answers)
    if write_ratings is not None:
        from edgewise.cli.judge_by_hand import write_ratings_for  # noqa: PLC0415 - loads when asked for

        write_ratings_for(write_ratings, answers, seed)
        return
    target = output_for(what, output)
    options = Options(repeats, repeat_sample, audit, criticality, pairwise, pairs, critic, seed=seed)
    asking = Asking(
        judges, budget_usd, concurrency, retries, timeout, "median" if combine == "median" else "mean"
    )
    if by_hand:
        from edgewise.cli.judge_by_hand import rate  # noqa: PLC0415 - the same

        if not rate(answers, target, rater=rater, stars=stars, seed=seed):
            return
    _known(found, target, ratings or [], run_code=run_code)
    if dry_run:
        _estimate(found, asking, options, config, as_json=as_json)
        return
    ended = _asked(source, found, asking, options, config) if judges else Judging()
    if ended.halted is not None:
        tell(ended.notes)
        err(f"Ended by {ended.halted}; {target} is as it was. The same command goes on from here.")
        raise typer.Exit(INTERRUPTED)
    _finish(found, target, ended, report, seed=seed, as_json=as_json)
    if what.is_dir() and plots and need_drawing():
        from edgewise.learning.profile.plots import draw  # noqa: PLC0415 - matplotlib takes a second

        err(f"{what}: {', '.join(draw(target, what))}")


def _check(judges: tuple[str, ...], combine: str, *, graders_only: bool, needs_judges: bool) -> None:
    if graders_only and judges:
        fail("--graders-only asks nobody; leave it out, or --by.")
    if needs_judges and not judges:
        fail("--pairwise and --critic need a judge: --by CANDIDATE.")
    if combine not in COMBINED:
        fail(f"--combine is mean or median; found '{combine}'.")


def _known(found: Found, target: Path, files: list[Path], *, run_code: bool) -> None:
    """Take in what needs no judge: ratings, then grades."""
    from edgewise.learning.graders import grade  # noqa: PLC0415 - after the extra
    from edgewise.learning.judge.ratings import ledger_of, read_ratings  # noqa: PLC0415 - the same
    from edgewise.learning.judge.run import graded, rated  # noqa: PLC0415 - the same

    ledger = ledger_of(target)
    ratings = read_ratings([*files, *([ledger] if ledger.exists() else [])])
    if len(ratings):
        err(f"{rated(found, ratings):,} rows have ratings by people.")
    run(graded(found, partial(grade, run_code=run_code)))


def _estimate(found: Found, asking: Asking, options: Options, config: Path | None, *, as_json: bool) -> None:
    settings, _ = settings_or_found(config)
    chosen(settings, asking.judges)
    estimates: list[Estimate] = estimated(settings, found, asking, options)
    if as_json:
        print_json(estimates)
        return
    if not estimates:
        out("Nobody would be asked: no judge is named (--by CANDIDATE).")
        return
    from edgewise.cli.progress import lasting  # noqa: PLC0415 - few need it

    rows = [
        [
            e.judge,
            *(f"{count:,}" for count in (e.calls, e.kept, e.private)),
            "unpriced" if e.likely_usd is None else f"${e.likely_usd:.4f}",
            "" if e.most_usd is None else f"${e.most_usd:.4f}",
            lasting(e.takes_s),
        ]
        for e in estimates
    ]
    table("What is left to ask", ESTIMATED, rows)


def _asked(source: Path, found: Found, asking: Asking, options: Options, config: Path | None) -> Judging:
    from edgewise.outcomes.aside import hold  # noqa: PLC0415 - loads only where somebody is asked

    settings, notes = settings_or_found(config)
    chosen(settings, asking.judges)
    tell(notes)
    with source.open("rb") as file, naming(config):
        hold(file.fileno(), source, "judged")  # two at once would pay for the same verdicts
        return run(judged(settings, found, asking, options))


def _finish(  # noqa: PLR0913 - what is to be written, and where
    found: Found, target: Path, ended: Judging, folder: Path | None, *, seed: int, as_json: bool
) -> None:
    from edgewise.learning.judge.report import report_on  # noqa: PLC0415 - after the extra
    from edgewise.learning.judge.run import rows  # noqa: PLC0415 - the same

    made = rows(found)
    write_table(target, made)
    report = report_on(found, made, table=target.name, notes=ended.notes, seed=seed)
    if folder is not None and need_drawing():
        from edgewise.learning.judge.page import write  # noqa: PLC0415 - matplotlib takes a second

        err(f"{folder}: {', '.join(write(report, folder))}")
    if as_json:
        print_json(report)
    else:
        _show(report)
    if ended.panel is not None and not report.judged:
        from edgewise.outcomes.plain import plain  # noqa: PLC0415 - what judges said may hold anything

        fail(plain(f"Nothing could be judged: {next(iter(report.unjudged), 'there is no answer')}"))


def _show(report: JudgeReport) -> None:
    from edgewise.learning.judge.show import candidate_rows, sentences  # noqa: PLC0415 - after the extra
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - what judges said may hold anything

    table(f"{report.table}: quality by candidate, [95 % intervals]", *candidate_rows(report))
    for sentence in sentences(report):
        out(plain(sentence))
