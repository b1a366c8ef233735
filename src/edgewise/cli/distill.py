"""`edgewise distill`: a labelled table becomes a classifier bundle."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - Typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from edgewise.cli.console import err, out, write_failure
from edgewise.domain.errors import MissingExtra

if TYPE_CHECKING:
    from edgewise.learning.distill.run import Distilled

LIBRARIES = ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers", "torch", "transformers")


def command(  # noqa: PLR0913 - one argument an option
    table: Annotated[Path, typer.Argument(help="The labelled table: CSV, JSONL or Parquet.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the bundle.")],
    test: Annotated[
        Path | None, typer.Option(help="A table to test on (default: a tenth of TABLE is kept aside).")
    ] = None,
    text_column: Annotated[str, typer.Option(help="The column with the text.")] = "text",
    label_column: Annotated[str, typer.Option(help="The column with the label.")] = "label",
    base: Annotated[
        str, typer.Option(help="The model to start from: minilm-fp32, a folder, or a name on the hub.")
    ] = "minilm-fp32",
    epochs: Annotated[int, typer.Option(help="Passes over the table at most.", min=1)] = 6,
    keep: Annotated[
        float, typer.Option(help="The share of its accuracy that the small model must keep.", min=0, max=1)
    ] = 0.991,
    most_tokens: Annotated[int, typer.Option(help="Where texts are cut.", min=8, max=512)] = 128,
    threads: Annotated[int, typer.Option(help="Threads to train with.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model on the same machine.")] = 0,
) -> None:
    """Fine-tune, export, compress; the smallest model that keeps enough becomes the bundle.

    Interrupted, it goes on where it was when called again with the same options.
    """
    from edgewise.learning.distill.labelled import read_held_out, read_labelled  # noqa: PLC0415 - numpy
    from edgewise.learning.distill.options import DistillOptions, FineTuning  # noqa: PLC0415 - the same
    from edgewise.learning.distill.parts import parted  # noqa: PLC0415 - the same

    read = read_labelled(table, text_column, label_column)
    held_out = None if test is None else read_held_out(test, read, text_column, label_column)
    for note in (*(held_out.notes if held_out else ()), *read.notes):
        err(note)
    parts = parted(read, held_out, seed=seed)
    if any(find_spec(name) is None for name in LIBRARIES):
        raise MissingExtra("Distilling a classifier", "distill")
    from edgewise.learning.distill.run import distill  # noqa: PLC0415 - torch takes seconds

    options = DistillOptions(base, seed, most_tokens, keep, threads, FineTuning(epochs=epochs))
    try:
        output.mkdir(parents=True, exist_ok=True)
        found = distill(parts, output, options, err)
    except OSError as error:
        raise write_failure(str(output), error) from error
    _tell(found, output)


def _tell(found: Distilled, output: Path) -> None:
    chosen = found.chosen
    out(f"{output}: classifier {chosen.version}, {chosen.recipe}, {len(chosen.labels):,} labels")
    full = found.recipes["fp32"].metrics["bytes"]
    for name, manifest in found.recipes.items():
        metrics = manifest.metrics
        test, size = metrics["test"], metrics["bytes"]
        out(
            f"  {name:<5} {size / 1e6:6.1f} MB ({1 - size / full:6.1%} smaller)  "
            f"test accuracy {test['accuracy']:.1%} ({test['low']:.1%} to {test['high']:.1%}, "
            f"{test['texts']:,} texts)  agrees {test['agreement']:.1%}  "
            f"{metrics['cpu_ms']['mean']:.1f} CPU-ms a text"
        )
