"""`edgewise profile`: the same prompts through every candidate, measured."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from edgewise.cli.console import err, fail, out, print_json, table
from edgewise.cli.profiling import Job, estimated, profiled, told
from edgewise.cli.setup import ConfigOption, JsonOption, naming, run, settings_or_found

if TYPE_CHECKING:
    from edgewise.learning.profile import Summary
    from edgewise.settings import Settings

SHOW = "show"
INTERRUPTED = 130
ESTIMATED = ("candidate", "calls", "input tokens", "cost", "at most", "time", "at a time")
MEASURED = (
    "candidate",
    "calls",
    "ok",
    "failed",
    "lost",
    "latency s",
    "p95 s",
    "first token s",
    "tokens",
    "cost",
)


def command(  # noqa: PLR0913 - one argument an option
    what: Annotated[
        list[Path],
        typer.Argument(metavar="PROMPTS | show DIR", help="A prompts file, or `show` and a profile."),
    ],
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The folder of the profile.")] = None,
    candidates: Annotated[str, typer.Option(help="Ask these only: a,b.")] = "",
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="What the whole profile may cost, in USD.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and ask nobody.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask once more what failed or was lost.")] = False,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Leave lines out that hold no prompt.")
    ] = False,
    system: Annotated[str | None, typer.Option(help="The system message; '' for none.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="Of every answer.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The longest answer.")] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="How often each prompt is asked.")] = None,
    warm_up: Annotated[int | None, typer.Option(min=0, help="Calls before the measured ones.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Calls at a time at one endpoint.")] = None,
    stream: Annotated[bool | None, typer.Option(help="Ask for streams, to time the first token.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the order of the prompts.")] = None,
    plots: Annotated[bool, typer.Option(help="Draw pictures and a page at the end.")] = True,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every candidate every prompt, once; the same command goes on where it was ended.

    What is not said here about how to ask stands in [profile] of the configuration.
    """
    if str(what[0]) == SHOW:
        _show(what, output, as_json=as_json)
        return
    if len(what) != 1 or output is None:
        fail("Give a prompts file and a folder: edgewise profile PROMPTS -o DIR.")
    settings, notes = settings_or_found(config)
    settings = _said(
        settings,
        system=system,
        temperature=temperature,
        max_tokens=max_tokens,
        repeats=repeats,
        warm_up=warm_up,
        concurrency=concurrency,
        stream=stream,
        seed=seed,
    )
    names = tuple(name.strip() for name in candidates.split(",") if name.strip())
    job = Job(what[0], output, names, budget_usd, again=again, keep_good=keep_good)
    if dry_run:
        _estimate(settings, job, as_json=as_json)
        return
    for note in notes:
        err(note)
    with naming(config):
        halted = run(profiled(settings, job))
    _tell(output, plots=plots, as_json=as_json)
    if halted is not None:
        err(f"Ended by {halted}; the same command goes on from here.")
        raise typer.Exit(INTERRUPTED)


def _said(settings: Settings, **options: Any) -> Settings:
    """The settings with the options that were given in place of [profile]'s."""
    given = {name: value for name, value in options.items() if value is not None}
    return structs.replace(settings, profile=structs.replace(settings.profile, **given))


def _estimate(settings: Settings, job: Job, *, as_json: bool) -> None:
    found = estimated(settings, job)
    if as_json:
        print_json(found)
        return
    rows, sentences = told(found, job.budget_usd)
    table("What is left to ask", ESTIMATED, rows)
    for sentence in sentences:
        out(sentence)


def _show(what: list[Path], output: Path | None, *, as_json: bool) -> None:
    """Draw a profile, or a table that was judged, once more."""
    if len(what) != 2:  # noqa: PLR2004 - the word and the folder
        fail("Give the folder of a profile or a judged table: edgewise profile show DIR.")
    from edgewise.learning.profile import rows_in, summed  # noqa: PLC0415 - loads only with a profile

    place = what[1]
    _draw(place, output or (place if place.is_dir() else place.parent))
    _print(summed(rows_in(place)), as_json=as_json)


def _tell(folder: Path, *, plots: bool, as_json: bool) -> None:
    from edgewise.learning.profile import summary  # noqa: PLC0415 - loads only with a profile

    if plots:
        _draw(folder, folder)
    _print(summary(folder), as_json=as_json)


def _draw(place: Path, folder: Path) -> None:
    from edgewise.cli.extras import need_drawing  # noqa: PLC0415 - few need it

    if need_drawing():
        from edgewise.learning.profile.plots import draw  # noqa: PLC0415 - matplotlib takes a second

        err(f"{folder}: {', '.join(draw(place, folder))}")


def _print(found: tuple[Summary, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table("What was measured (medians of whole answers)", MEASURED, [_row(each) for each in found])


def _row(found: Summary) -> list[str]:
    numbers = (found.latency_s, found.latency_p95_s, found.ttft_s, found.output_tokens)
    return [
        found.candidate,
        *(f"{count:,}" for count in (found.calls, found.ok, found.failed, found.lost)),
        *("" if number is None else f"{number:.3g}" for number in numbers),
        f"${found.cost_usd:.4f}",
    ]
