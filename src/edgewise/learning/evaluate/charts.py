"""A report as pictures: bars by policy, the deferral curve, the cost-quality frontier, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.drawing import figure_and_axes, png
from edgewise.outcomes.plain import captioned

if TYPE_CHECKING:
    from edgewise.learning.evaluate.report import Report

INK, OURS, BOUND, PALE = "#1f2933", "#0b6e4f", "#b7791f", "#9fb3c8"
BARS = {
    "utility": "Realised utility a prompt",
    "quality": "Quality",
    "latency_s": "Latency, s",
    "cost_usd": "Cost, USD a prompt",
}


def charts(report: Report) -> dict[str, bytes]:
    """PNG files by name (without ending), in the order in which a reader wants them."""
    drawn: dict[str, bytes] = {}
    for measure, title in BARS.items():
        if measure == "utility" and report.objective in ("qos", "reward"):
            title = f"{title} ({report.objective})"  # noqa: PLW2901 - the objective's own name
        found = [(p.name, getattr(p, measure)) for p in report.policies]
        if all(each is not None for _, each in found):
            drawn[measure] = _bars(title, [(name, each.mean, each.low, each.high) for name, each in found])
    if report.deferral:
        drawn["deferral"] = _deferral(report)
    if report.frontier is not None:
        drawn["frontier"] = _frontier(report)
    if report.calibration is not None:
        drawn["calibration"] = _calibration(report)
    return drawn


def _bars(title: str, rows: list[tuple[str, float, float, float]]) -> bytes:
    figure, axes = figure_and_axes(0.34 * len(rows) + 1.2)
    places = list(range(len(rows)))[::-1]
    colours = [OURS if n.startswith("learned") else BOUND if n == "oracle" else PALE for n, *_ in rows]
    below = [max(0.0, mean - low) for _, mean, low, _ in rows]
    above = [max(0.0, high - mean) for _, mean, _, high in rows]
    axes.barh(
        places, [mean for _, mean, _, _ in rows], xerr=[below, above], color=colours, ecolor=INK, capsize=3
    )
    axes.set_yticks(places, [captioned(name) for name, *_ in rows])
    lows, highs = [low for _, _, low, _ in rows], [high for _, _, _, high in rows]
    for place, (_, mean, _, high) in zip(places, rows, strict=True):
        axes.text(high, place, f"  {mean:.4g}", va="center", fontsize=8, color=INK)
    axes.set_xlim(min(0.0, *lows), max(0.0, *highs) * 1.12 or 1.0)
    axes.set_title(f"{title}, measured, with 95 % intervals", loc="left", fontsize=10)
    return png(figure)


def _deferral(report: Report) -> bytes:
    figure, axes = figure_and_axes(4.2)
    for curve, colour in zip(report.deferral, (OURS, BOUND), strict=False):
        label = f"{captioned(curve.policy)}: APGR {curve.apgr.mean:.3f}"
        axes.plot([100 * s for s in curve.share], curve.reached, color=colour, label=label)
    first = report.deferral[0]
    axes.plot(
        [0, 100], [first.reached[0], first.reached[-1]], color=PALE, linestyle="--", label="random: APGR 0.5"
    )
    axes.set_xlabel(f"prompts answered by {captioned(first.strong)}, %")
    axes.set_ylabel(f"mean {first.measure}")
    axes.set_title("Deferral curve, measured", loc="left", fontsize=10)
    axes.legend(fontsize=8, frameon=False)
    return png(figure)


def _frontier(report: Report) -> bytes:
    line = report.frontier
    if line is None:  # the caller has looked
        return b""
    figure, axes = figure_and_axes(4.2)
    axes.plot([1000 * c for c in line.cost_usd], line.quality, color=OURS, marker=".", label="learned")
    for policy in report.policies:
        if policy.name.startswith("always ") and policy.cost_usd and policy.quality:
            x, y = 1000 * policy.cost_usd.mean, policy.quality.mean
            axes.plot([x], [y], "o", color=INK, markersize=4)
            axes.annotate(
                captioned(policy.name.removeprefix("always ")),
                (x, y),
                fontsize=7,
                xytext=(4, -8),
                textcoords="offset points",
            )
    axes.set_xlabel("USD per 1,000 prompts")
    axes.set_ylabel("mean quality")
    title = f"Cost and quality, measured; AIQ {line.aiq:.4g} up to ${1000 * line.most_usd:.4g} per 1,000"
    axes.set_title(title, loc="left", fontsize=10)
    return png(figure)


def _calibration(report: Report) -> bytes:
    found = report.calibration
    if found is None:  # the caller has looked
        return b""
    figure, axes = figure_and_axes(4.2)
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--")
    axes.plot(found.forecast_quality, found.measured_quality, color=OURS, marker="o", markersize=4)
    axes.set_xlabel("forecast quality")
    axes.set_ylabel("measured quality")
    axes.set_title(f"Reliability; expected calibration error {found.ece:.3f}", loc="left", fontsize=10)
    return png(figure)
