"""A distillation's report on disk: JSON, pictures, and one page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from edgewise.domain.errors import StoreError
from edgewise.learning.pages import STYLE, inside, save, table

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.learning.distill.report.records import DistillReport, Recipe

NAME = "distill"
HARDEST = 10  # labels
COLUMNS = (
    "model",
    "MB",
    "smaller",
    "test accuracy",
    "95 % interval",
    "macro-F1",
    "agrees with fp32",
    "calibration error",
    "CPU-ms a text",
    "p50",
    "p95",
    "by the clock, p95",
    "padded, CPU-ms",
    "texts a CPU second",
    "loads in ms",
    "RSS, MB",
    "of it the model",
    "mJ a text (estimate)",
)
LABEL_COLUMNS = ("label", "texts", "precision", "recall", "F1", "most often taken for")


def write(report: DistillReport, folder: Path) -> list[str]:
    """Write `distill.json`, `distill.html` and a PNG for each picture; returns their names.

    Without matplotlib there are no pictures. Raises `StoreError` where something cannot be written.
    """
    drawn: dict[str, bytes] = {}
    if find_spec("matplotlib") is not None:
        from edgewise.learning.distill.report.charts import charts  # noqa: PLC0415 - it takes a second to load

        drawn = charts(report)
    files = {f"{NAME}-{name}.png": raw for name, raw in drawn.items()}
    files[f"{NAME}.json"] = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    files[f"{NAME}.html"] = page(report, drawn).encode("utf-8", "replace")
    return save(files, folder, "report", StoreError)


def page(report: DistillReport, pictures: dict[str, bytes]) -> str:
    """One HTML page with its pictures inside; it asks no server for anything."""
    texts = ", ".join(f"{count:,} for {name}" for name, count in report.texts.items())
    said = "\n".join(f"<li>{escape(each)}</li>" for each in sentences(report))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Classifier from {escape(report.table)}</title><style>{STYLE}</style></head><body>
<h1>Classifier from {escape(report.table)}</h1>
<p class="verdict">{escape(report.verdict)}</p>
<p>Bundle {escape(report.version)}, {report.labels:,} labels, from {escape(report.base)}, seed {report.seed}.
Texts: {texts}. Tested on {escape(report.tested_on)}.</p>
<h2>Every model that was made</h2>
{table(COLUMNS, map(_row, report.recipes), report.chosen.__eq__)}
<p>{escape(report.machine.sentence)} {escape(report.at)}.</p>
<ul>{said}</ul>
<h2>The labels that are hardest</h2>
{table(LABEL_COLUMNS, _hardest(report.ours))}
{inside(pictures)}
</body></html>
"""


def sentences(report: DistillReport) -> list[str]:
    """What the figures do not say: oddities, adapting, training, parity, how energy was estimated."""
    said = [*report.notes, *report.doubts]
    if report.adapted is not None:
        before, *after = report.adapted["perplexity"]
        said.append(
            f"Adapted on {report.adapted['texts']:,} texts: perplexity {before:.1f} as it was, "
            f"{', '.join(f'{value:.1f}' for value in after)} after each epoch, on "
            f"{report.adapted['held_out']:,} texts kept aside."
        )
    kept = "the head alone" if report.best == 0 else f"epoch {report.best}"
    said.append(f"Trained for {len(report.training) - 1} epochs; kept was {kept}, by validation loss.")
    said.append(f"The exported model differs from the trained one by {report.parity:.1g} in a logit at most.")
    said.append(
        f"Chosen is the smallest that keeps {report.keep:.1%} of fp32's accuracy on the validation part; "
        "the test part chose nothing."
    )
    if report.promise is not None:
        said.append(report.promise)
    said.append(
        "Times are of one thread, one text at a time, tokenising included, in a process of its own; texts a "
        "CPU second are of many together. "
        f"Energy is CPU time by {report.watts:g} W a busy core, an assumption."
    )
    return said


def _row(each: Recipe) -> list[str]:
    test, found = each.test, each.figures.alone
    true, padded = found.true_length, found.padded
    return [
        each.recipe,
        f"{each.bytes / 1e6:.1f}",
        f"{each.smaller:.1%}",
        f"{test['accuracy']:.1%}",
        f"{test['low']:.1%} to {test['high']:.1%}",
        f"{test['macro_f1']:.3f}",
        f"{test['agreement']:.1%}",
        f"{test['calibration_error']:.3f}",
        *(f"{value:.2f}" for value in (true.cpu_ms.mean, true.cpu_ms.p50, true.cpu_ms.p95, true.wall_ms.p95)),
        f"{padded.cpu_ms.mean:.1f} ({padded.tokens:.0f} tokens)",
        f"{found.texts_per_cpu_s:,.0f}",
        f"{found.load_ms:.0f}",
        f"{found.rss_mb:.0f}",
        f"{found.rss_model_mb:.0f}",
        f"{each.figures.energy_mj:.1f}",
    ]


def _hardest(ours: Recipe) -> list[list[str]]:
    return [
        [
            score.label,
            f"{score.texts:,}",
            f"{score.precision:.1%}",
            f"{score.recall:.1%}",
            f"{score.f1:.3f}",
            "" if score.mistaken_for is None else f"{score.mistaken_for} ({score.mistaken:,})",
        ]
        for score in ours.figures.labels[:HARDEST]
    ]
