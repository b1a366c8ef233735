"""`edgewise classify`: a label for each text of a file, by a bundle or by the configured classifiers."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewise.cli.console import write_failure
from edgewise.cli.extras import need_classifier
from edgewise.cli.setup import ConfigOption, naming, run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from edgewise.cli.classify_routed import Placed
    from edgewise.settings import Settings
    from edgewise.upstreams.classifier import ClassifierBundle

    Row = tuple[str, Mapping[str, Any]]
    Write = Callable[[dict[str, Any]], None]

BATCH = 512
REASON = "only_candidate"  # a bundle named on the command line has no rival


def command(  # noqa: PLR0913 - one argument an option
    *,
    input_: Annotated[
        str,
        typer.Option(
            "--input", help="CSV, JSONL or Parquet with `text`, a text file of one text a line, or `-`."
        ),
    ],
    output: Annotated[str, typer.Option(help="Where to write JSONL, or CSV; `-` is standard output.")] = "-",
    bundle: Annotated[
        Path | None,
        typer.Option(help="The folder that `edgewise distill` wrote; without it, the configured candidates."),
    ] = None,
    text_column: Annotated[str, typer.Option(help="The column with the text.")] = "text",
    top: Annotated[int, typer.Option(help="How many probabilities to write; 0 is all.", min=0)] = 0,
    task: Annotated[
        str | None, typer.Option(help="What to label for, where the configuration has several tasks.")
    ] = None,
    model: Annotated[str, typer.Option(help="auto, auto:POLICY or a candidate's id.")] = "auto",
    config: ConfigOption = None,
) -> None:
    """Write each row as it came, with `label`, `probabilities`, `candidate` and `reason`, in input order.

    What a row called `label` before is kept as `true_label`. Without --bundle each text is placed as the
    gateway would place it, and recorded in the log.
    """
    from edgewise.cli.text_rows import text_rows  # noqa: PLC0415 - csv and tables, when needed

    if bundle is not None:
        if task is not None or model != "auto":
            raise typer.BadParameter("--task and --model choose among configured candidates, not bundles.")
        need_classifier()
        with _written(output) as write:
            _by_bundle(bundle, text_rows(input_, text_column), top, write)
        return
    from edgewise.cli.classify_routed import routed  # noqa: PLC0415 - a router, when needed

    settings = _settings(config)
    rows = text_rows(input_, text_column)
    with naming(config), _written(output) as write:

        def take(batch: Sequence[Row], placed: Sequence[Placed | None]) -> None:
            for (_, row), one in zip(batch, placed, strict=True):
                write({**_kept(row), **(_unlabelled() if one is None else one.row(top))})

        run(routed(settings, iter(lambda: list(islice(rows, BATCH)), []), take, task=task, model=model))


def _settings(config: Path | None) -> Settings:
    from edgewise.domain.errors import SettingsError  # noqa: PLC0415 - loaded when used
    from edgewise.settings import load  # noqa: PLC0415 - the same

    settings = load(config)
    classifiers = [c for c in settings.candidates if c.kind == "classifier"]
    if not classifiers:
        raise SettingsError(
            "No classifier is configured; name a folder with --bundle, or add [[candidates]] with "
            'kind = "classifier" to edgewise.toml.'
        )
    if any(c.bundle is not None for c in classifiers):
        need_classifier()
    return settings


@contextmanager
def _written(output: str) -> Generator[Write]:
    """What writes a row to `output`, which appears only once it is whole."""
    from edgewise.cli.text_rows import writer  # noqa: PLC0415 - when needed
    from edgewise.outcomes.aside import aside  # noqa: PLC0415 - the same

    try:
        with aside(output) as target:
            yield writer(target, output)
    except OSError as error:
        raise write_failure(output, error) from error


def _by_bundle(folder: Path, rows: Iterator[Row], top: int, write: Write) -> None:
    from edgewise.cli.classify_routed import tell_empty  # noqa: PLC0415 - when needed
    from edgewise.upstreams.classifier import ClassifierBundle  # noqa: PLC0415 - numpy is an extra

    opened, name, empty = ClassifierBundle.load(folder), folder.resolve().name, 0
    while batch := list(islice(rows, BATCH)):
        for row in _labelled(opened, name, batch, top):
            empty += row["label"] is None
            write(row)
    tell_empty(empty)


def _labelled(bundle: ClassifierBundle, name: str, rows: Sequence[Row], top: int) -> Iterator[dict[str, Any]]:
    said = iter(bundle.classify([text for text, _ in rows if text.strip()]))
    for text, row in rows:
        if not text.strip():
            yield {**_kept(row), **_unlabelled()}
            continue
        found = next(said)
        yield {
            **_kept(row),
            "label": found.label,
            "probabilities": {label: round(p, 6) for label, p in found.top(top).items()},
            "candidate": name,
            "reason": REASON,
        }


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    return {("true_label" if column == "label" else column): value for column, value in row.items()}


def _unlabelled() -> dict[str, Any]:
    return {"label": None, "probabilities": {}, "candidate": None, "reason": None}
