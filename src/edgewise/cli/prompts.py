"""`edgewise prompts`: prompts to begin with, imported, taken from the log or made by a candidate."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewise.cli.console import err, out, print_json, table
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import PathOption, log_path
from edgewise.domain.errors import MissingExtra, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgewise.learning.prompts import Prompt
    from edgewise.learning.prompts.tidy import Tidied

SHOWN = 5  # bad lines that are told one by one
LABELS = ("kind", "group", "level")
TURNS = ("first", "last")
app = typer.Typer(no_args_is_help=True, help="Make, import and look at prompts to learn from.")
OutputOption = Annotated[Path, typer.Option("-o", "--output", help="The prompts file, which ends in .jsonl.")]
SeedOption = Annotated[int, typer.Option(help="The same seed draws the same prompts.")]
NearOption = Annotated[bool, typer.Option("--near/--keep-near", help="Leave near-duplicates out, or not.")]
TestOption = Annotated[float, typer.Option(help="The share of prompts that is kept aside for testing.")]


@app.command("import")
def import_(  # noqa: PLR0913 - one argument an option
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV, JSONL, Parquet, text or a chat export.")
    ],
    *,
    output: OutputOption,
    columns: Annotated[str, typer.Option(help="Other column names: prompt=query,group=task.")] = "",
    kind: Annotated[str | None, typer.Option(help="The kind of prompts that have none.")] = None,
    group: Annotated[str | None, typer.Option(help="The group of prompts that have none.")] = None,
    local: Annotated[bool, typer.Option("--local", help="None of them may leave this machine.")] = False,
    turns: Annotated[
        str, typer.Option(help="Of an exported chat: up to the `first` message of the user, or the `last`.")
    ] = "first",
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Leave out rows that are no prompts, and say which.")
    ] = False,
    near: NearOption = True,
    test: TestOption = 0.2,
    resplit: Annotated[
        bool, typer.Option("--resplit", help="Split anew, also what is split already.")
    ] = False,
    balance: Annotated[
        str | None, typer.Option(help="As many of each: kind, group or level; the rest is left out.")
    ] = None,
    number: Annotated[int | None, typer.Option("-n", "--number", help="At most so many, drawn.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Make a prompts file of other files, without duplicates, each prompt on one side of a split."""
    _need_numbers()
    from edgewise.learning.prompts.imports import Reading, found_in  # noqa: PLC0415 - loaded when used
    from edgewise.learning.prompts.tidy import Rules, tidy  # noqa: PLC0415 - the same
    from edgewise.learning.tables import layout_of  # noqa: PLC0415 - the same

    _checked(output)
    labels = {"kind": kind, "group": group, "privacy": "local" if local else None}
    reading = Reading(
        layout_of(columns=columns).columns,
        {name: value for name, value in labels.items() if value is not None},
        _one_of("--turns", turns, TURNS),
    )
    rules = Rules(
        near=near,
        test=test,
        resplit=resplit,
        balance=None if balance is None else _one_of("--balance", balance, LABELS),
        most=number,
        seed=seed,
    )
    bad = _Bad()

    def found() -> Iterator[Prompt]:
        from edgewise.learning.prompts.files import sifted  # noqa: PLC0415 - loaded when used

        for file in files:
            yield from sifted(found_in(file, reading), file.name, keep_good=keep_good, bad=bad)

    done = tidy(found(), output, rules, err)
    bad.tell()
    _tell(output, done, bad.count)


@app.command()
def sample(  # noqa: PLR0913 - one argument an option
    *,
    output: OutputOption,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 200,
    near: NearOption = True,
    test: TestOption = 0.2,
    seed: SeedOption = 0,
    config: ConfigOption = None,
    path: PathOption = None,
) -> None:
    """Take prompts from the outcome log: what was really asked, as far as its text was kept."""
    _need_numbers()
    from edgewise.learning.prompts.sampling import sampled  # noqa: PLC0415 - loaded when used
    from edgewise.learning.prompts.tidy import Rules, tidy  # noqa: PLC0415 - the same
    from edgewise.outcomes.reader import LogReader  # noqa: PLC0415 - the same

    _checked(output)
    drawn = sampled(LogReader(log_path(config, path)).stories(), 2 * number if near else number, seed)
    done = tidy(drawn, output, Rules(near=near, test=test, most=number, seed=seed), err)
    _tell(output, done, 0)
    if done.kept < number:
        err(f"The log holds no more: {done.kept:,} of {number:,}.")


@app.command()
def generate(  # noqa: PLR0913 - one argument an option
    *,
    by: Annotated[str, typer.Option(metavar="CANDIDATE", help="The candidate that makes them.")],
    output: OutputOption,
    number: Annotated[int, typer.Option("-n", "--number", help="How many there are to be in FILE.")] = 200,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE: DESCRIPTION", help="A kind of prompt; may be given again."),
    ] = None,
    batch: Annotated[int, typer.Option(help="How many are asked for at a time.")] = 10,
    concurrency: Annotated[int, typer.Option(help="How many requests are under way at a time.")] = 4,
    temperature: Annotated[float, typer.Option(help="Of the candidate that makes them.", min=0, max=2)] = 0.9,
    test: TestOption = 0.2,
    seed: SeedOption = 0,
    config: ConfigOption = None,
) -> None:
    """Let a candidate make prompts. FILE grows as they come; the same command goes on with it."""
    _need_numbers()
    from edgewise.cli.making import Order, make  # noqa: PLC0415 - loaded when used

    _checked(output)
    kinds = tuple(kind or ())
    make(Order(output, by, number, kinds, batch, concurrency, temperature, test, seed), config)


@app.command()
def shipped(
    *,
    output: OutputOption,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Only this task; may be given again. Without it, all six."),
    ] = None,
    number: Annotated[int | None, typer.Option("-n", "--number", help="At most so many, drawn.")] = None,
    test: TestOption = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Write the prompts that come with Edgewise: six tasks, five levels, each with a check."""
    _need_numbers()
    from edgewise.learning.graders import shipped as coming  # noqa: PLC0415 - loaded when used
    from edgewise.learning.graders.shipped_prompts import TASKS  # noqa: PLC0415 - the same
    from edgewise.learning.prompts.tidy import Rules, tidy  # noqa: PLC0415 - the same

    _checked(output)
    tasks = [_one_of("--task", one, TASKS) for one in task or TASKS]
    done = tidy(iter(coming(tasks)), output, Rules(near=False, test=test, most=number, seed=seed), err)
    _tell(output, done, 0)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The prompts file.")],
    *,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Count the good lines only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Count the prompts of a file: by split, kind, group, level, check and source."""
    from edgewise.learning.prompts import read_prompts  # noqa: PLC0415 - loaded when used
    from edgewise.learning.prompts.counts import LABELS as COUNTED  # noqa: PLC0415 - the same
    from edgewise.learning.prompts.counts import counted  # noqa: PLC0415 - the same
    from edgewise.outcomes.plain import plain  # noqa: PLC0415 - the same

    bad = _Bad()
    counts = counted(read_prompts(file, keep_good=keep_good, bad=bad))
    bad.tell()
    if as_json:
        print_json(counts)
        return
    held = [f"{counts.conversations:,} conversations"] if counts.conversations else []
    held += [f"{counts.local:,} that are private"] if counts.local else []
    out(f"{file}: {counts.prompts:,} prompts{', among them ' + ' and '.join(held) if held else ''}")
    rows: list[tuple[str, str, str, str]] = []
    for label in COUNTED:
        found: dict[str, int] = getattr(counts, label)
        if list(found) != [""]:
            rows += [
                (label, plain(name) or "(none)", f"{count:,}", f"{count / counts.prompts:.1%}")
                for name, count in found.items()
            ]
    if rows:
        table("", ("label", "", "prompts", "share"), rows)


class _Bad:
    """Counts bad lines, and keeps the first few to tell."""

    def __init__(self) -> None:
        self.count, self._first = 0, list[str]()

    def __call__(self, sentence: str) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self._first.append(sentence)

    def tell(self) -> None:
        for sentence in self._first:
            err(f"Left out: {sentence}")
        if self.count > SHOWN:
            err(f"Left out: {self.count - SHOWN:,} more.")


def _tell(output: Path, done: Tidied, bad: int) -> None:
    gone = {
        "duplicates": done.duplicates,
        "near-duplicates": done.near,
        "not drawn": done.undrawn,
        "beyond what is looked at": done.sampled,
        "no prompts": bad,
    }
    said = ", ".join(f"{what} {count:,}" for what, count in gone.items() if count)
    out(f"{output}: {done.kept:,} prompts ({done.kept - done.test:,} train, {done.test:,} test)")
    if said:
        err(f"Left out of {done.read + bad:,} rows: {said}.")


def _need_numbers() -> None:
    if find_spec("numpy") is None:
        raise MissingExtra("Finding duplicates", "learn")


def _checked(output: Path) -> None:
    from edgewise.learning.prompts.files import ENDINGS  # noqa: PLC0415 - loaded when used

    if not output.name.lower().endswith(ENDINGS[:2]):
        raise RequestError(f"--output {output.name[:100]!r} is no prompts file's name; it ends in .jsonl.")


def _one_of(option: str, value: str, allowed: Iterable[Any]) -> Any:
    if value not in allowed:
        raise RequestError(f"{option} {value[:40]!r} does not exist; there are {', '.join(allowed)}.")
    return value
