"""Charts, drawn here as SVG: each can be read as a table, value by value, and saved as CSV or PNG.

Times and other steps go from left to right with the same width each. The drawing is as wide as the page,
with text of its own size: coordinates across are percentages, and only lines are stretched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, log10
from typing import Final

from msgspec import Struct

from edgewise.dashboard.figure import figure
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.tables import table
from edgewise.dashboard.units import UNKNOWN, clock, iso, moment

Step = str | float  # a name, or a time in unix seconds
Unit = Callable[[float | None], str]

HEIGHT: Final = 150
TOP, BOTTOM = 12, 20
COLOURS: Final = 5
WIDE: Final = 1000  # units across of what is stretched
LEAST: Final = 1e-300  # no scale ends lower: below it, numbers lose their digits


class Series(Struct, frozen=True):
    """A name and a value a step; None where nothing is known. `colour` is 0 edge, 1 cloud, 2 to 4 others."""

    name: str
    values: Sequence[float | None]
    colour: int = 0


def lines(
    title: str,
    steps: Sequence[Step],
    series: Sequence[Series],
    unit: Unit,
    *,
    most: float | None = None,
) -> Html:
    """A line a series over the steps; gaps stay gaps. `unit` says a value; `most` fixes the scale's end."""
    top = most or _nice(max((v for one in series for v in one.values if v is not None), default=0.0))
    drawn = [h.path(d=_path(one.values, top), class_=f"line c{one.colour % COLOURS}") for one in series]
    dots = [_lone(one, top) for one in series]
    return _figure(title, steps, series, unit, top, (_stretched(drawn), dots))


def stacks(title: str, steps: Sequence[Step], series: Sequence[Series], unit: Unit) -> Html:
    """Bars over the steps, the series on top of each other: for counts and sums."""
    sums = [sum(one.values[at] or 0.0 for one in series) for at in range(len(steps))]
    top = _nice(max(sums, default=0.0))
    width = WIDE / max(1, len(steps))
    gap = min(2.0, width * 0.2)
    drawn: list[Html] = []
    for at in range(len(steps)):
        foot = 0.0
        for one in series:
            value = one.values[at] or 0.0
            if value <= 0:
                continue
            y, below = _y(foot + value, top), _y(foot, top)
            drawn.append(
                h.rect(
                    x=f"{at * width + gap / 2:.2f}", y=f"{y:.1f}", width=f"{width - gap:.2f}",
                    height=f"{max(1.0, below - y):.1f}", class_=f"fill c{one.colour % COLOURS}",
                )
            )  # fmt: skip
            foot += value
    return _figure(title, steps, series, unit, top, (_stretched(drawn),))


def whiskers(  # noqa: PLR0913 - the rows and their scale
    title: str,
    rows: Sequence[tuple[str, float, float, float]],
    unit: Unit,
    *,
    least: float = 0.0,
    most: float | None = None,
    colours: Sequence[int] = (),
) -> Html:
    """A dot with its interval a row: (name, mean, low, high)."""
    top = most if most is not None else _nice(max((high for *_, high in rows), default=0.0))
    span = (top - least) or 1.0
    each = 26
    height = each * len(rows) + BOTTOM

    def across(value: float) -> str:
        return f"{26 + 72 * min(1.0, max(0.0, (value - least) / span)):.2f}%"

    drawn: list[Child] = []
    for at, (name, mean, low, high) in enumerate(rows):
        y, colour = at * each + each / 2, f"c{(colours[at] if at < len(colours) else 0) % COLOURS}"
        drawn += [
            h.text(name[:22], x=0, y=y + 4, class_="axis"),
            h.line(x1=across(low), x2=across(high), y1=y, y2=y, class_=f"whisker {colour}"),
            h.circle(cx=across(mean), cy=y, r=4.5, class_=f"fill {colour}"),
        ]
    foot = height - 5
    scale = [
        h.text(unit(least), x=across(least), y=foot, class_="axis", text_anchor="start"),
        h.text(unit(top), x=across(top), y=foot, class_="axis", text_anchor="end"),
    ]
    svg = h.svg(drawn, scale, height=height, width="100%", aria_hidden="true", focusable="false")
    said = [(name, unit(mean), unit(low), unit(high)) for name, mean, low, high in rows]
    data = table(("", "mean", "low", "high"), said, caption=title, numbers=(1, 2, 3))
    return figure(title, svg, data, legend=None, readout=False)


def _figure(  # noqa: PLR0913, PLR0917 - a figure's parts
    title: str,
    steps: Sequence[Step],
    series: Sequence[Series],
    unit: Unit,
    top: float,
    drawn: Child,
) -> Html:
    middle = top / 2
    levels = (0.0, middle, top)
    scale = [h.line(x1="0", x2="100%", y1=_y(v, top), y2=_y(v, top), class_="grid-line") for v in levels]
    # Half of a small count, rounded, would read as another number.
    told = [v for v in levels[1:] if v == top or unit(v) not in {unit(0.0), unit(top)}]
    said = [h.text(unit(v), x=0, y=_y(v, top) - 3, class_="axis") for v in told]
    foot = HEIGHT - 5
    named = [
        h.text(
            step if isinstance(step, str) else clock(step),
            x=x,
            y=foot,
            class_="axis",
            text_anchor=anchor,
            data_at=None if isinstance(step, str) else iso(step),
        )
        for step, x, anchor in _ends(steps)
    ]
    cursor = h.line(x1=0, x2=0, y1=TOP, y2=HEIGHT - BOTTOM, class_="cursor", visibility="hidden")
    svg = h.svg(
        scale, drawn, said, named, cursor, height=HEIGHT, width="100%", aria_hidden="true", focusable="false"
    )
    rows = [
        (
            step if isinstance(step, str) else moment(step, brief=True),
            *(_told(one.values[at], unit) for one in series),
        )
        for at, step in enumerate(steps)
    ]
    data = table(("", *(one.name for one in series)), rows, caption=title, numbers=range(1, len(series) + 1))
    keys = [h.span(one.name, class_=f"c{one.colour % COLOURS}") for one in series]
    return figure(title, svg, data, legend=keys if len(series) > 1 else None, readout=True)


def _told(value: float | None, unit: Unit) -> Child:
    if value is None:
        return UNKNOWN
    return h.data(unit(value), value=f"{value:.6g}")


def _stretched(drawn: Child) -> Html:
    return h.svg(
        drawn,
        x=0,
        y=0,
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 {WIDE} {HEIGHT}",
        preserveAspectRatio="none",
    )


def _y(value: float, top: float) -> float:
    """Where a value lies, in pixels from above."""
    room = HEIGHT - TOP - BOTTOM
    return round(HEIGHT - BOTTOM - room * (min(value, top) / top if top else 0.0), 1)


def _x(at: int, steps: int) -> float:
    return (at + 0.5) / max(1, steps) * WIDE


def _path(values: Sequence[float | None], top: float) -> str:
    """Line segments through what is known."""
    said: list[str] = []
    pen = "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        said.append(f"{pen}{_x(at, len(values)):.1f} {_y(value, top)}")
        pen = "L"
    return "".join(said)


def _lone(series: Series, top: float) -> list[Html]:
    """Dots for values without neighbours: a line through one point would not be seen."""
    values = series.values
    return [
        h.circle(
            cx=f"{_x(at, len(values)) / WIDE * 100:.2f}%", cy=_y(value, top), r=2.5,
            class_=f"fill c{series.colour % COLOURS}",
        )
        for at, value in enumerate(values)
        if value is not None
        and (at == 0 or values[at - 1] is None)
        and (at == len(values) - 1 or values[at + 1] is None)
    ]  # fmt: skip


def _ends(steps: Sequence[Step]) -> list[tuple[Step, str, str]]:
    if not steps:
        return []
    ends = [(steps[0], "0", "start"), (steps[-1], "100%", "end")]
    return ends if len(steps) < 3 else [ends[0], (steps[len(steps) // 2], "50%", "middle"), ends[1]]  # noqa: PLR2004 - two ends and a middle


def _nice(value: float) -> float:
    """The end of a scale that holds `value`: 1, 2, 4, 5 or 10 times a power of ten."""
    if value <= LEAST:
        return 1.0 if value <= 0 else LEAST
    power = 10.0 ** floor(log10(value))
    return float(next(step * power for step in (1, 2, 4, 5, 10) if value <= step * power * (1 + 1e-9)))
