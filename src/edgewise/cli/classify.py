"""`edgewise classify`: a label for each text of a file, by a bundle on this machine."""

from __future__ import annotations

from itertools import islice
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewise.cli.console import err, write_failure
from edgewise.cli.extras import need_classifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewise.upstreams.classifier import ClassifierBundle

    Row = tuple[str, Mapping[str, Any]]

BATCH = 512
REASON = "only_candidate"  # a bundle named on the command line has no rival


def command(
    *,
    bundle: Annotated[Path, typer.Option(help="The folder that `edgewise distill` wrote.")],
    input_: Annotated[
        str,
        typer.Option(
            "--input", help="CSV, JSONL or Parquet with `text`, a text file of one text a line, or `-`."
        ),
    ],
    output: Annotated[str, typer.Option(help="Where to write JSONL, or CSV; `-` is standard output.")] = "-",
    text_column: Annotated[str, typer.Option(help="The column with the text.")] = "text",
    top: Annotated[int, typer.Option(help="How many probabilities to write; 0 is all.", min=0)] = 0,
) -> None:
    """Write each row as it came, with `label`, `probabilities`, `candidate` and `reason`, in input order.

    What a row called `label` before is kept as `true_label`.
    """
    need_classifier()
    from edgewise.cli.text_rows import text_rows, writer  # noqa: PLC0415 - csv and tables, when needed
    from edgewise.outcomes.aside import aside  # noqa: PLC0415 - the same
    from edgewise.upstreams.classifier import ClassifierBundle  # noqa: PLC0415 - numpy is an extra

    opened, name, empty = ClassifierBundle.load(bundle), bundle.resolve().name, 0
    rows = text_rows(input_, text_column)
    try:
        with aside(output) as target:
            write = writer(target, output)
            while batch := list(islice(rows, BATCH)):
                for row in _labelled(opened, name, batch, top):
                    empty += row["label"] is None
                    write(row)
    except OSError as error:
        raise write_failure(output, error) from error
    if empty:
        err(f"{empty:,} {'row has' if empty == 1 else 'rows have'} an empty text, and got no label.")


def _labelled(bundle: ClassifierBundle, name: str, rows: Sequence[Row], top: int) -> Iterator[dict[str, Any]]:
    said = iter(bundle.classify([text for text, _ in rows if text.strip()]))
    for text, row in rows:
        kept = {("true_label" if column == "label" else column): value for column, value in row.items()}
        if not text.strip():
            yield {**kept, "label": None, "probabilities": {}, "candidate": None, "reason": None}
            continue
        found = next(said)
        yield {
            **kept,
            "label": found.label,
            "probabilities": {label: round(p, 6) for label, p in found.top(top).items()},
            "candidate": name,
            "reason": REASON,
        }
