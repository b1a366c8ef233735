"""`edgewise evaluate`: what a policy is worth on prompts that it has not seen."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, fail, out, print_json, table
from edgewise.cli.extras import need_learning
from edgewise.cli.setup import JsonOption  # noqa: TC001 - Typer reads it at run time

if TYPE_CHECKING:
    from edgewise.learning.evaluate import Plan, Report

FEWEST_FOLDS, MOST_FOLDS, MOST_REPEATS = 2, 100, 100


def command(  # noqa: PLR0913 - one argument an option
    what: Annotated[
        list[Path],
        typer.Argument(metavar="[DIR] TABLE", help="A bundle and a table; with --cv the table alone."),
    ],
    *,
    cv: Annotated[str, typer.Option(help="Train and judge by cross-validation: FOLDSxREPEATS, as 5x5.")] = "",
    objective: Annotated[str | None, typer.Option(help="With --cv: what a good choice is.")] = None,
    weight: Annotated[float, typer.Option(help="With --cv: the weight of cost in quality-at-cost.")] = 0.0,
    floor: Annotated[
        float, typer.Option(help="With --cv: the quality that an at-quality objective asks.")
    ] = 0.8,
    features: Annotated[str, typer.Option(help="With --cv: static, minilm or URL#MODEL.")] = "static",
    learner: Annotated[str, typer.Option(help="With --cv: auto, or one by name.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the folds and of training.")] = 0,
    trained_on: Annotated[
        Path | None, typer.Option(help="The bundle's training table: fits baselines, shows near-duplicates.")
    ] = None,
    edge: Annotated[str, typer.Option(help="The candidates at the edge: ID or A,B.")] = "",
    wide: Annotated[str, typer.Option(help="One row a prompt: edge=edge_qos,cloud=cloud_qos.")] = "",
    columns: Annotated[
        str, typer.Option(help="Other column names: candidate=model_name,quality=score.")
    ] = "",
    quality_scale: Annotated[float, typer.Option(help="The quality of a perfect answer in the table.")] = 1.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for JSON, PNG and HTML.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge by what choices realised, with intervals, against baselines that cost nothing to build."""
    need_learning()
    from edgewise.learning.evaluate import cross_validate, evaluate  # noqa: PLC0415 - numpy is an extra
    from edgewise.learning.tables import layout_of, objective_for, read_table  # noqa: PLC0415 - the same
    from edgewise.learning.train import TrainOptions  # noqa: PLC0415 - the same
    from edgewise.policies.bundles import Bundle  # noqa: PLC0415 - the same

    layout = layout_of(columns=columns, wide=wide, quality_scale=quality_scale, edge=edge)
    if cv:
        plan = _plan(cv, seed)
        if len(what) != 1:
            fail(f"--cv trains by itself: give it one table, found {len(what)} arguments.")
        read = read_table(what[0], layout, progress=err)
        chosen, _ = objective_for(read, objective, weight=weight, floor=floor)
        options = TrainOptions(chosen, features=features, learner=learner, seed=seed)
        report = cross_validate(read, options, plan, name=what[0].name, say=err)
    else:
        folder, path = _bundle_and_table(what, objective)
        bundle = Bundle.load(folder)
        read = read_table(path, layout, progress=err)
        known = None if trained_on is None else read_table(trained_on, layout, progress=err)
        report = evaluate(bundle, read, name=path.name, trained_on=known, say=_quiet)
    _tell(report, output, as_json=as_json)


def _plan(cv: str, seed: int) -> Plan:
    from edgewise.learning.evaluate import Plan  # noqa: PLC0415 - numpy is an extra

    found = re.fullmatch(r"(\d{1,3})(?:x(\d{1,3}))?", cv)
    folds, repeats = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if not (FEWEST_FOLDS <= folds <= MOST_FOLDS and 1 <= repeats <= MOST_REPEATS):
        fail(
            f"--cv takes FOLDSxREPEATS with {FEWEST_FOLDS} to {MOST_FOLDS} folds, such as 5x5; found '{cv}'."
        )
    return Plan(folds, repeats, seed)


def _bundle_and_table(what: list[Path], objective: str | None) -> tuple[Path, Path]:
    if len(what) != 2:  # noqa: PLR2004 - a bundle and a table
        fail("Give a bundle and a table (edgewise evaluate DIR TABLE), or --cv 5x5 and a table.")
    if objective is not None:
        fail("A bundle has its own objective; --objective goes with --cv.")
    return what[0], what[1]


def _tell(report: Report, output: Path | None, *, as_json: bool) -> None:
    from edgewise.learning.evaluate.show import choices_by_candidate, rows, sentences  # noqa: PLC0415 - after the extra

    if output is not None:
        from edgewise.learning.evaluate.page import write  # noqa: PLC0415 - matplotlib takes a second

        err(f"{output}: {', '.join(write(report, output))}")
    if as_json:
        print_json(report)
        return
    out(report.leakage.sentence)
    out(f"{report.table}: {report.prompts:,} prompts judged, {report.kind}, objective {report.objective}")
    out()
    table("What each policy realised (means a prompt, measured; [95 % intervals])", *rows(report))
    table("Whom it chose (prompts)", *choices_by_candidate(report))
    for sentence in sentences(report):
        out(sentence)
    out()
    out(report.verdict)


def _quiet(_: str) -> None:
    """A bundle is judged in seconds; nothing need be said meanwhile."""
