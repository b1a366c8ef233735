"""A distillation as pictures: size and accuracy, time, reliability, training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.drawing import figure_and_axes, png
from edgewise.outcomes.plain import captioned

if TYPE_CHECKING:
    from edgewise.learning.distill.report.records import DistillReport

INK, OURS, BOUND, PALE = "#1f2933", "#0b6e4f", "#b7791f", "#9fb3c8"
BUBBLE = 400.0  # square points of the fullest bin


def charts(report: DistillReport) -> dict[str, bytes]:
    """PNG files by name (without ending), in the order in which a reader wants them."""
    return {
        "sizes": _sizes(report),
        "latency": _latency(report),
        "reliability": _reliability(report),
        "training": _training(report),
    }


def _sizes(report: DistillReport) -> bytes:
    figure, axes = figure_and_axes(3.6)
    for each in report.recipes:
        test, colour = each.test, OURS if each.recipe == report.chosen else PALE
        below, above = test["accuracy"] - test["low"], test["high"] - test["accuracy"]
        spread = [[100 * max(0.0, below)], [100 * max(0.0, above)]]
        place = (each.bytes / 1e6, 100 * test["accuracy"])
        axes.errorbar([place[0]], [place[1]], yerr=spread, fmt="o", color=colour, ecolor=colour, capsize=3)
        axes.annotate(
            captioned(each.recipe), place, fontsize=8, xytext=(6, 4), textcoords="offset points", color=INK
        )
    axes.set_xlim(left=0)
    axes.margins(x=0.12)
    axes.set_xlabel("size, MB")
    axes.set_ylabel("test accuracy, %")
    axes.set_title("Size and accuracy, measured, with 95 % intervals", loc="left", fontsize=10)
    return png(figure)


def _latency(report: DistillReport) -> bytes:
    figure, axes = figure_and_axes(0.5 * len(report.recipes) + 1.4)
    places = list(range(len(report.recipes)))[::-1]
    for place, each in zip(places, report.recipes, strict=True):
        true, padded = each.figures.alone.true_length, each.figures.alone.padded
        colour = OURS if each.recipe == report.chosen else PALE
        axes.barh([place + 0.18], [true.cpu_ms.mean], height=0.32, color=colour)
        axes.plot([true.cpu_ms.p50, true.cpu_ms.p95], [place + 0.18] * 2, color=INK, marker="|")
        axes.barh([place - 0.18], [padded.cpu_ms.mean], height=0.32, color=BOUND, alpha=0.5)
        axes.text(padded.cpu_ms.mean, place - 0.18, f"  {padded.cpu_ms.mean:.1f}", va="center", fontsize=8)
        axes.text(true.cpu_ms.p95, place + 0.18, f"  {true.cpu_ms.mean:.1f}", va="center", fontsize=8)
    axes.set_yticks(places, [captioned(each.recipe) for each in report.recipes])
    axes.margins(x=0.12)
    axes.set_xlabel("CPU-ms a text, one thread (line: median to 95th percentile)")
    title = "Time at true length (above) and padded (below), measured"
    axes.set_title(title, loc="left", fontsize=10)
    return png(figure)


def _reliability(report: DistillReport) -> bytes:
    figure, axes = figure_and_axes(4.2)
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--")
    bins = report.ours.figures.reliability
    fullest = max(each.texts for each in bins)
    axes.scatter(
        [each.confidence for each in bins],
        [each.accuracy for each in bins],
        s=[max(12.0, BUBBLE * each.texts / fullest) for each in bins],
        color=OURS,
        alpha=0.6,
    )
    axes.plot([each.confidence for each in bins], [each.accuracy for each in bins], color=OURS, linewidth=0.8)
    axes.set_xlim(0, 1.04)
    axes.set_ylim(0, 1.04)
    axes.set_xlabel("how sure it says it is")
    axes.set_ylabel("how often it is right")
    error = report.ours.test["calibration_error"]
    title = f"Reliability of {captioned(report.chosen)} on the test part; calibration error {error:.3f}"
    axes.set_title(title, loc="left", fontsize=10)
    return png(figure)


def _training(report: DistillReport) -> bytes:
    figure, axes = figure_and_axes(3.2)
    epochs = [each["epoch"] for each in report.training]
    axes.plot(epochs, [each["loss"] for each in report.training], color=BOUND, marker="o", markersize=4)
    axes.axvline(report.best, color=INK, linewidth=0.8, linestyle="--")
    axes.set_xticks(epochs, ["head alone" if epoch == 0 else str(epoch) for epoch in epochs], fontsize=8)
    axes.set_ylabel("validation loss", color=BOUND)
    axes.set_xlabel("epoch (dashed: the one kept)")
    other = axes.twinx()
    other.spines[["top"]].set_visible(False)
    accuracy = [100 * each["accuracy"] for each in report.training]
    other.plot(epochs, accuracy, color=OURS, marker="o", markersize=4)
    other.set_ylabel("validation accuracy, %", color=OURS)
    axes.set_title("Training", loc="left", fontsize=10)
    return png(figure)
