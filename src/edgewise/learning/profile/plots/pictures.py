"""PNG pictures of a profile, as the published systems draw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.drawing import figure_and_axes, png
from edgewise.outcomes.plain import captioned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.learning.profile.plots.points import Point

INK = "#1f2933"
PLACES = {"edge": "#1f77b4", "cloud": "#ff7f0e"}
COLOURS = ("#0b6e4f", "#1f77b4", "#ff7f0e", "#9467bd", "#b7791f", "#d62728", "#17becf", "#7f7f7f")
LARGEST, SMALLEST = 260.0, 12.0  # square points of a bubble


def pictures(points: Sequence[Point]) -> dict[str, bytes]:
    """PNG files by name (without ending); those about quality only where something was judged."""
    whole = [p for p in points if p.status == "ok" and p.latency_s is not None]
    judged = [p for p in points if p.quality is not None]
    both = [p for p in whole if p.quality is not None]
    drawn: dict[str, bytes] = {}
    if whole:
        values = _by_candidate(whole, "latency_s")
        drawn["latency"] = _boxes(values, "Latency by candidate", "seconds, whole answers")
    if judged:
        drawn["quality"] = _boxes(_by_candidate(judged, "quality"), "Quality by candidate", "quality, 0 to 1")
    if both:
        drawn["latency-quality"] = _scatter(both)
        drawn["edge-cloud"] = _bubbles(both)
    return drawn


def colour_of(candidate: str, candidates: Sequence[str]) -> str:
    """The colour of a candidate in every picture of a profile."""
    return COLOURS[sorted(candidates).index(candidate) % len(COLOURS)]


def shares(points: Sequence[Point]) -> list[float]:
    """How large each point's QoS is between the smallest and the largest, 0 to 1."""
    values = [p.qos or 0.0 for p in points]
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.5 for value in values]


def _by_candidate(points: Sequence[Point], name: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for point in sorted(points, key=lambda p: p.candidate):
        found.setdefault(_label(point), []).append(getattr(point, name))
    return found


def _label(point: Point) -> str:
    marked = point.simulated and "simulated" not in point.candidate
    return captioned(f"{point.candidate} (simulated)" if marked else point.candidate)


def _boxes(values: dict[str, list[float]], title: str, unit: str) -> bytes:
    figure, axes = figure_and_axes(4.2)
    drawn = axes.boxplot(list(values.values()), patch_artist=True, widths=0.6, flierprops={"markersize": 3})
    for number, box in enumerate(drawn["boxes"]):
        box.set(facecolor=COLOURS[number % len(COLOURS)], alpha=0.6, edgecolor=INK)
    for line in drawn["medians"]:
        line.set(color=INK)
    labels = [f"{name} ({len(measured):,})" for name, measured in values.items()]
    axes.set_xticks(range(1, len(values) + 1), labels, rotation=20, ha="right")
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)
    axes.set_title(f"{title}, measured (number of calls)", loc="left", fontsize=10)
    return png(figure)


def _scatter(points: Sequence[Point]) -> bytes:
    figure, axes = figure_and_axes(4.6)
    names = sorted({p.candidate for p in points})
    for name in names:
        mine = [p for p in points if p.candidate == name]
        axes.scatter(
            [p.latency_s for p in mine],
            [p.quality for p in mine],
            s=26,
            alpha=0.6,
            color=colour_of(name, names),
            label=_label(mine[0]),
        )
    axes.set_xlabel("latency, s")
    axes.set_ylabel("quality")
    axes.set_title("Latency and quality of each answer, measured", loc="left", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return png(figure)


def _bubbles(points: Sequence[Point]) -> bytes:
    figure, axes = figure_and_axes(4.6)
    sizes = [SMALLEST + share * (LARGEST - SMALLEST) for share in shares(points)]
    for place, colour in PLACES.items():
        mine = [(p, size) for p, size in zip(points, sizes, strict=True) if p.location == place]
        if mine:
            axes.scatter(
                [p.quality for p, _ in mine],
                [1000 * (p.latency_s or 0.0) for p, _ in mine],
                s=[size for _, size in mine],
                alpha=0.5,
                color=colour,
                edgecolor=INK,
                linewidth=0.4,
                label=place,
            )
    axes.set_xlabel("quality")
    axes.set_ylabel("latency, ms")
    axes.set_title("Edge and cloud: each answer, as large as its QoS", loc="left", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return png(figure)
