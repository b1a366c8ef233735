"""A judge's report as pictures: scores by candidate, agreement, position bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.drawing import canvas, figure_and_axes, png
from edgewise.outcomes.plain import captioned

if TYPE_CHECKING:
    from edgewise.learning.evaluate.bootstrap import Interval
    from edgewise.learning.judge.report import JudgeReport

INK, OURS, PALE = "#1f2933", "#0b6e4f", "#9fb3c8"
STEPS = 20  # bars of a histogram


def charts(report: JudgeReport) -> dict[str, bytes]:
    """PNG files by name (without ending). What was not measured has no picture."""
    drawn: dict[str, bytes] = {}
    if any(each.scores for each in report.candidates):
        drawn["scores"] = _scores(report)
    bars = [
        (f"{each.judge} / {each.reference}: {name}", value)
        for each in report.agreements
        for name, value in (("Spearman", each.spearman), ("kappa", each.kappa), ("AUC", each.auc))
    ]
    bars += [(f"{each.judge} asked twice: Spearman", each.spearman) for each in report.consistencies]
    if known := [(name, value) for name, value in bars if value.mean == value.mean]:
        drawn["agreement"] = _bars("Agreement, with 95 % intervals", known, line=0.0)
    if report.pairs is not None:
        found = [
            ("the first answer wins", report.pairs.first_wins),
            ("winner turns with the order", report.pairs.split),
        ]
        if known := [(name, value) for name, value in found if value.mean == value.mean]:
            drawn["position"] = _bars("Position bias, with 95 % intervals", known, line=0.5)
        drawn["strength"] = _bars(
            "Chance to win over the average candidate", list(report.pairs.strength.items()), line=0.5
        )
    return drawn


def _scores(report: JudgeReport) -> bytes:
    """One histogram a candidate, above each other, so that they can be compared."""
    known = [each for each in report.candidates if each.scores]
    figure = canvas(1.1 * len(known) + 1.0)
    every = figure.subplots(len(known), 1, sharex=True, squeeze=False)[:, 0]
    for axes, each in zip(every, known, strict=True):
        axes.hist(each.scores, bins=STEPS, range=(0.0, 1.0), color=PALE)
        axes.axvline(each.mean.mean, color=OURS)
        axes.set_ylabel(captioned(each.candidate), rotation=0, ha="right", va="center", fontsize=8, color=INK)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    every[0].set_title("Quality, answers by score (line: mean)", loc="left", fontsize=10)
    every[-1].set_xlabel("quality")
    return png(figure)


def _bars(title: str, rows: list[tuple[str, Interval]], *, line: float) -> bytes:
    figure, axes = figure_and_axes(0.34 * len(rows) + 1.2)
    places = list(range(len(rows)))[::-1]
    for place, (_, found) in zip(places, rows, strict=True):
        axes.plot([found.low, found.high], [place, place], color=PALE, linewidth=3)
        axes.plot([found.mean], [place], "o", color=OURS, markersize=5)
    axes.axvline(line, color=INK, linewidth=0.8, linestyle="--")
    axes.set_yticks(places, [captioned(name) for name, _ in rows], fontsize=8)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_title(title, loc="left", fontsize=10)
    return png(figure)
