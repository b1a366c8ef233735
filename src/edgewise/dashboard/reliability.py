"""A reliability diagram: what was forecast across, what came of it upwards; equal on the diagonal."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.figure import figure
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.monitors.drift import Calibration
    from edgewise.monitors.drift.calibration import Bin

HEIGHT: Final = 220
LEFT, RIGHT, TOP, BOTTOM = 9.0, 97.0, 5.0, 84.0  # percentages of the drawing
NORMAL: Final = 1.96
TENTHS: Final = 10
NARROWEST: Final = 3  # tenths across
MOST_RADIUS: Final = 6.0


def reliability(found: Calibration, colour: int) -> Html:
    """The diagram of one candidate; a dot is a bin, its bar the 95 % interval of its quality."""
    title = f"Reliability of {found.candidate}"
    low, high = _bounds(found.bins)
    most = max(one.labels for one in found.bins)

    def x(value: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * _between(value, low, high):.2f}%"

    def y(value: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * _between(value, low, high):.2f}%"

    middle = (low + high) / 2
    drawn: list[Child] = [
        [h.line(x1=x(low), x2=x(high), y1=y(v), y2=y(v), class_="grid-line") for v in (low, middle, high)],
        [h.text(units.quality(v), x=0, y=y(v), dy=4, class_="axis") for v in (low, middle, high)],
        [
            h.text(units.quality(v), x=x(v), y="92%", dy=2, class_="axis", text_anchor=anchor)
            for v, anchor in ((low, "start"), (middle, "middle"), (high, "end"))
        ],
        h.text("forecast", x=x(high), y="100%", dy=-2, class_="axis", text_anchor="end"),
        h.line(x1=x(low), y1=y(low), x2=x(high), y2=y(high), class_="ideal"),
        h.text("measured", x=x(low), y=y(high), dx=4, dy=14, class_="axis"),
    ]
    for one in found.bins:
        across, (least, top) = x(one.forecast), _interval(one)
        radius = max(2.5, MOST_RADIUS * (one.labels / most) ** 0.5)
        drawn += [
            h.line(x1=across, x2=across, y1=y(least), y2=y(top), class_=f"whisker c{colour}"),
            h.circle(cx=across, cy=y(one.quality), r=f"{radius:.1f}", class_=f"fill c{colour}"),
        ]
    svg = h.svg(drawn, height=HEIGHT, width="100%", aria_hidden="true", focusable="false")
    rows = [
        (units.quality(one.forecast), f"{units.quality(one.low)} to {units.quality(one.high)}",
         units.quality(one.quality), " to ".join(map(units.quality, _interval(one))), units.count(one.labels))
        for one in found.bins
    ]  # fmt: skip
    columns = ("forecast", "its interval", "measured", "95 %", "labels")
    return figure(title, svg, table(columns, rows, caption=title, numbers=range(5)))


def _interval(one: Bin) -> tuple[float, float]:
    half = NORMAL * one.error
    return max(0.0, one.quality - half), min(1.0, one.quality + half)


def _bounds(bins: Sequence[Bin]) -> tuple[float, float]:
    """Tenths that hold everything: the same across and upwards, so that the diagonal is one."""
    low = floor(TENTHS * min(min(one.forecast, _interval(one)[0]) for one in bins))
    high = ceil(TENTHS * max(max(one.forecast, _interval(one)[1]) for one in bins))
    high = min(TENTHS, max(high, low + NARROWEST))
    return max(0, min(low, high - NARROWEST)) / TENTHS, high / TENTHS


def _between(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
