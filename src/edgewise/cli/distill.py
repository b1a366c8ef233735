"""`edgewise distill`: a labelled table becomes a classifier bundle."""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - Typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgewise.cli.console import err, out, write_failure
from edgewise.cli.distill_promise import Promised, told
from edgewise.cli.extras import CLASSIFYING as RUNNING
from edgewise.domain.errors import MissingExtra, RequestError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from edgewise.learning.distill.options import DistillOptions
    from edgewise.learning.distill.parts import Parts
    from edgewise.learning.distill.run import Distilled

Stage = Literal["adapt", "finetune", "export", "compress", "cascade", "benchmark", "report"]
LIBRARIES = ("numpy", "onnx", "onnx_ir", "onnxruntime", "safetensors", "tokenizers", "torch", "transformers")
MOST_THREADS = 4  # batches of short texts keep no more busy
INTERRUPTED = 130


def command(  # noqa: PLR0913 - one argument an option
    table: Annotated[
        Path | None, typer.Argument(help="The labelled table: CSV, JSONL or Parquet.", show_default=False)
    ] = None,
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
    unlabelled: Annotated[
        str | None, typer.Option(help="Domain text to read first: a table, a text file of one text a line.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the table at most.", min=1)] = 6,
    keep: Annotated[
        float, typer.Option(help="The share of its accuracy that the small model must keep.", min=0, max=1)
    ] = 0.991,
    most_tokens: Annotated[int, typer.Option(help="Where texts are cut.", min=8, max=512)] = 128,
    layers: Annotated[
        list[int] | None, typer.Option(help="Teach a student of so many layers too; may be repeated.", min=1)
    ] = None,
    static: Annotated[bool, typer.Option(help="Teach a student without a transformer too.")] = False,
    threads: Annotated[
        int | None, typer.Option(help="Threads to train with (default: one a core, four at most).", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model on the same machine.")] = 0,
    watts: Annotated[
        float, typer.Option(help="What a busy core draws, for the estimate of energy.", min=0)
    ] = 10.0,
    max_loss: Annotated[
        float | None,
        typer.Option(
            help="Prove a bound on the accuracy lost against the cloud, such as 0.01.", min=0, max=1
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="How sure that bound shall be.", min=0, max=1)] = 0.95,
    calibration: Annotated[
        Path | None,
        typer.Option(help="A table to prove it on (default: a tenth of TABLE is not trained on)."),
    ] = None,
    cloud: Annotated[
        str | None,
        typer.Option(
            help="The cloud: a classifier's folder, or the column with its labels (the full model)."
        ),
    ] = None,
    out_of_scope: Annotated[
        str | None, typer.Option(help="Texts about none of the labels: a table, or one text a line.")
    ] = None,
    in_scope: Annotated[
        float, typer.Option(help="The share of texts that may not be taken for strange.", min=0, max=1)
    ] = 0.98,
    stage: Annotated[Stage, typer.Option(help="The last stage to run; those before it run if need be.")] = (
        "report"
    ),
) -> None:
    """Adapt, fine-tune, export, compress; the smallest model that keeps enough becomes the bundle.

    Interrupted, or ended after a stage, it goes on where it was when called again with the same options.
    """
    from edgewise.learning.distill import options as how  # noqa: PLC0415 - numpy

    options = how.DistillOptions(
        base,
        seed,
        most_tokens,
        keep,
        threads or min(MOST_THREADS, os.cpu_count() or 1),
        how.FineTuning(epochs=epochs),
        watts=watts,
        teaching=how.Teaching(layers=tuple(dict.fromkeys(layers or ())), static=static),
    )
    texts = [] if unlabelled is None else _texts(unlabelled, text_column)
    if table is None or (stage == "adapt" and not texts):
        _refuse_or_adapt(texts, output, options, stage)
        return
    parts = _parts(table, test, (text_column, label_column), seed)
    promised = Promised(max_loss, confidence, calibration, cloud, out_of_scope, in_scope)
    parts, guarding = promised.guarding(parts, (table, test), (text_column, label_column), seed)
    _need_libraries(output)
    from edgewise.learning.distill.labelled import unseen  # noqa: PLC0415 - the same
    from edgewise.learning.distill.run import distill  # noqa: PLC0415 - the same

    texts, note = unseen(texts, parts.test)
    if note:
        err(note)
    with _writing(output):
        found = distill(parts, output, options, err, unlabelled=texts, guarding=guarding, until=stage)
    if found is None:
        out(f"{output}: done up to the stage {stage}")
    else:
        _tell(found, output, reported=stage == "report")


def _refuse_or_adapt(texts: Sequence[str], output: Path, options: DistillOptions, stage: str) -> None:
    """Without a labelled table, reading domain text is all that can be done."""
    if stage != "adapt":
        raise RequestError(
            f"The stage {stage} needs a labelled table: edgewise distill TABLE -o {output}; "
            "without one there is --stage adapt --unlabelled FILE."
        )
    if not texts:
        raise RequestError("The stage adapt reads texts without labels, and has none: --unlabelled FILE.")
    _need_libraries(output)
    from edgewise.learning.distill.stages import STAGES, Adaptation  # noqa: PLC0415 - numpy

    with _writing(output):
        work = Adaptation(texts, output / STAGES, options, err)
        work.adapted()
    out(f"{work.place}: adapted, a base model for --base")


def _texts(source: str, column: str) -> list[str]:
    from edgewise.cli.text_rows import text_rows  # noqa: PLC0415 - csv and tables, when needed

    return [text for text, _ in text_rows(source, column) if text.strip()]


def _parts(table: Path, test: Path | None, columns: tuple[str, str], seed: int) -> Parts:
    from edgewise.learning.distill.labelled import read_held_out, read_labelled  # noqa: PLC0415 - numpy
    from edgewise.learning.distill.parts import parted  # noqa: PLC0415 - the same

    read = read_labelled(table, *columns)
    held_out = None if test is None else read_held_out(test, read, *columns)
    for note in (*(held_out.notes if held_out else ()), *read.notes):
        err(note)
    return parted(read, held_out, seed=seed)


def _need_libraries(output: Path) -> None:
    """What trained is there already may be measured again with less."""
    trained = (output / "stages" / "finetune" / "stage.json").exists()
    if any(find_spec(name) is None for name in (RUNNING if trained else LIBRARIES)):
        raise MissingExtra("Distilling a classifier", "distill")


@contextmanager
def _writing(output: Path) -> Generator[None]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise write_failure(str(output), error) from error
    except KeyboardInterrupt:
        err(f"\n{output} keeps the stages that ended; the same command goes on with the one interrupted.")
        raise typer.Exit(INTERRUPTED) from None


def _tell(found: Distilled, output: Path, *, reported: bool) -> None:
    chosen = found.chosen
    out(f"{output}: classifier {chosen.version}, {chosen.recipe}, {len(chosen.labels):,} labels")
    full = found.recipes["fp32"].metrics["bytes"]
    for name, manifest in found.recipes.items():
        metrics = manifest.metrics
        test, size = metrics["test"], metrics["bytes"]
        out(
            f"  {name:<12} {size / 1e6:6.1f} MB ({1 - size / full:6.1%} smaller)  "
            f"test accuracy {test['accuracy']:.1%} ({test['low']:.1%} to {test['high']:.1%}, "
            f"{test['texts']:,} texts)  agrees {test['agreement']:.1%}  "
            f"{metrics['cpu_ms']['mean']:.1f} CPU-ms a text"
        )
    if found.placing is not None:
        out(f"  {told(found.placing)}")
    if reported:
        out(f"{output / 'distill.html'}: the report")
