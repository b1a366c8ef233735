"""`edgewise log`: look into the outcome log, take it along, make it smaller."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, out, print_json, table
from edgewise.cli.lines import line, unfinished
from edgewise.cli.log_stats import stats
from edgewise.cli.setup import ConfigOption, JsonOption  # noqa: TC001 - Typer reads them at run time
from edgewise.cli.stored import PathOption, as_text, log_path, story_of
from edgewise.domain.errors import StoreError
from edgewise.outcomes.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.domain.stories import Story

POLL_S = 0.25
SOON_S = 2.0  # a decision without an outcome is shown after so long
FORGET_S = 3600.0  # and no longer looked after then
app = typer.Typer(no_args_is_help=True, help="Look into the outcome log.")
app.command()(stats)


@app.command()
def tail(
    *,
    number: Annotated[int, typer.Option("-n", "--number", min=0, help="How many of the latest.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is logged next.")] = False,
    config: ConfigOption = None,
    path: PathOption = None,
) -> None:
    """Print the latest decisions, one a line, oldest first."""
    reader = LogReader(log_path(config, path))
    newest = reader.latest(1)
    for story in reversed(reader.latest(number)):
        out(_line(story))
    if follow:
        for story in _follow(reader, newest[0].seq if newest else 0):
            out(_line(story))


@app.command()
def show(
    which: Annotated[str, typer.Argument(metavar="ID|last", help="As `edgewise explain` takes it.")],
    *,
    config: ConfigOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print all fields of a decision, its outcome, its attempts and its feedback; texts in full."""
    text = as_text(story_of(which, config, path))
    out(text if as_json else _unquoted(text))


@app.command()
def export(
    *,
    output: Annotated[str, typer.Option("-o", "--output", help="The file; `-` is standard output.")] = "-",
    form: Annotated[
        str | None, typer.Option("--format", help="csv, csv.gz, jsonl or parquet (default: as FILE ends).")
    ] = None,
    config: ConfigOption = None,
    path: PathOption = None,
) -> None:
    """Write the outcome table: one row for each prompt that was decided and ended."""
    from edgewise.outcomes.aside import STDOUT  # noqa: PLC0415 - loaded when used
    from edgewise.outcomes.export import export as write  # noqa: PLC0415 - the same
    from edgewise.outcomes.export import format_of  # noqa: PLC0415 - the same

    reader = LogReader(log_path(config, path))
    reader.count()  # where there is no log, no file must appear
    count = write(reader.stories(), output, format_of(output, form))
    if output != STDOUT:
        err(f"{count} rows in {output}")


@app.command()
def spending(*, config: ConfigOption = None, path: PathOption = None, as_json: JsonOption = False) -> None:
    """Say what today's calls cost: billed, estimated, or at a price that nobody knows."""
    from edgewise.outcomes.ledger import Ledger  # noqa: PLC0415 - loaded when used
    from edgewise.settings import load  # noqa: PLC0415 - the same

    budget = load(config).budget
    ledger = Ledger(budget.usd_per_day, time_zone=budget.time_zone)
    reader = LogReader(log_path(config, path))
    rows = reader.spent(ledger.begins)
    ledger.load(reader)
    today = ledger.today
    if as_json:
        calls = [
            {"candidate": name, "cost_state": state, "cost_usd": usd, "calls": count}
            for name, state, usd, count in rows
        ]
        print_json({"spent_usd": today.usd, "usd_per_day": budget.usd_per_day, "calls": calls})
        return
    shown = [(n, s, "unknown" if s == "unpriced" else f"${usd:.6f}", str(c)) for n, s, usd, c in rows]
    table(f"Since midnight in {budget.time_zone}", ("candidate", "state", "cost", "calls"), shown)
    limit = "" if budget.usd_per_day is None else f" of ${budget.usd_per_day:.4g}"
    out(f"${today.usd:.6f}{limit} spent today.")


@app.command()
def vacuum(*, config: ConfigOption = None, path: PathOption = None) -> None:
    """Forget what [store] calls too old or too much, and give the room back; a gateway may run meanwhile."""
    from edgewise.outcomes.retention import Retention, tidy, used_bytes  # noqa: PLC0415 - loaded when used
    from edgewise.outcomes.schema import connect  # noqa: PLC0415 - the same
    from edgewise.settings import load  # noqa: PLC0415 - the same

    rules = load(config).store
    file = log_path(config, path)
    if not file.exists():
        raise StoreError(f"There is no outcome log at {file} yet; the gateway makes it when it first starts.")
    connection = connect(file)
    try:
        before = file.stat().st_size
        gone = tidy(
            connection,
            Retention(rules.max_age_days, rules.max_size_mb),
            time.time(),
            rest=lambda: time.sleep(0.01),
        )
        used = used_bytes(connection)
    finally:
        connection.close()
    out(f"{gone} records forgotten; {before / 1e6:.1f} MB before, {used / 1e6:.1f} MB now.")


def _line(story: Story) -> str:
    return unfinished(story.decision) if story.outcome is None else line(story.decision, story.outcome)


def _follow(reader: LogReader, seq: int) -> Iterator[Story]:
    """Stories as they end; what has not ended after `SOON_S` comes as it is, and again at its end."""
    waiting: dict[str, float] = {}
    shown: set[str] = set()
    while True:
        now = time.monotonic()
        while page := reader.since(seq):
            waiting.update((story.decision.id, now) for story in page)
            seq = page[-1].seq
        for identity, since in list(waiting.items()):
            story = reader.decision(identity)
            if story is None or story.outcome is not None or now - since > FORGET_S:
                del waiting[identity]
                shown.discard(identity)
            elif identity in shown or now - since < SOON_S:
                continue
            else:
                shown.add(identity)
            if story is not None:
                yield story
        time.sleep(POLL_S)


def _unquoted(json: str) -> str:
    """JSON with less punctuation, for reading: no braces on lines of their own, no trailing commas."""
    lines = (one.rstrip(",") for one in json.splitlines())
    kept = (one for one in lines if one.strip() not in ("{", "}", "[", "]"))
    return "\n".join(one.removeprefix("  ").removesuffix(" {").removesuffix(" [") for one in kept)
