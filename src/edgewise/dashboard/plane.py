"""The plane of a frontier: price to the right, quality upwards, a bar for what is not known exactly."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import WIDE
from edgewise.dashboard.figure import figure
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.learning.frontier import Frontier, Point

HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 9.0, 96.0, 5.0, 90.0  # of a hundred
AIR: Final = 0.08


def position(found: Frontier, point: Point) -> tuple[float, float]:
    """Where a point lies, in percent from the left and from above; what is unknown lies at the edge."""
    left, right, low, high = _bounds(found)
    return _across(point.price.mean, left, right), _down(point.quality.mean, low, high)


def plane(title: str, found: Frontier, unit: Callable[[float | None], str]) -> Html:
    """The frontier's line and its points, the single candidates, today's point, and a marker to be moved."""
    left, right, low, high = _bounds(found)
    places = [position(found, point) for point in found.points]
    named = [*((one.name, one) for one in found.singles), ("today", found.today)]
    drawn: list[Child] = [
        _scale(left, right, low, high, unit),
        _line(places),
        [_bar(found, point, "c0") for point in found.points] if found.is_measured else None,
        [h.circle(cx=f"{x:.2f}%", cy=f"{y:.2f}%", r=3, class_="fill c0") for x, y in places],
        [_named(found, name, point, 13 * (at % 2)) for at, (name, point) in enumerate(named)],
        h.circle(cx=f"{places[0][0]:.2f}%", cy=f"{places[0][1]:.2f}%", r=8, class_="marker", id="marker"),
    ]
    svg = h.svg(drawn, height=HEIGHT, width="100%", aria_hidden="true", focusable="false")
    rows = [
        (
            name,
            unit(_known(point.price.mean)),
            units.quality(_known(point.quality.mean)),
            units.quality(_known(point.quality.low)) if found.is_measured else units.UNKNOWN,
            units.quality(_known(point.quality.high)) if found.is_measured else units.UNKNOWN,
        )
        for name, point in (*((point.objective, point) for point in found.points), *named)
    ]
    columns = ("point", "price", "quality", "low", "high")
    keys = [
        h.span("settings of the handle", class_="c0"),
        h.span("always one candidate", class_="c1"),
        h.span("today, measured", class_="c2"),
    ]
    return figure(title, svg, table(columns, rows, caption=title, numbers=(1, 2, 3, 4)), legend=keys)


def _everything(found: Frontier) -> Sequence[Point]:
    return (*found.points, *found.singles, found.today)


def _bounds(found: Frontier) -> tuple[float, float, float, float]:
    """Least and greatest price, least and greatest quality that are shown."""
    points = _everything(found)
    prices = [p.price.mean for p in points if not isnan(p.price.mean)] or [0.0]
    shown = [p.quality for p in points if not isnan(p.quality.mean)]
    low = min((q.low if found.is_measured else q.mean for q in shown), default=0.0)
    high = max((q.high if found.is_measured else q.mean for q in shown), default=1.0)
    air = AIR * (high - low) or 0.05
    right = max(prices) or 1.0
    return min(0.0, *prices), right * (1 + AIR), max(0.0, low - air), min(1.0, high + air)


def _across(price: float, left: float, right: float) -> float:
    share = 0.0 if isnan(price) or right <= left else (price - left) / (right - left)
    return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share))


def _down(quality: float, low: float, high: float) -> float:
    share = 0.0 if isnan(quality) or high <= low else (quality - low) / (high - low)
    return BOTTOM - (BOTTOM - TOP) * min(1.0, max(0.0, share))


def _line(places: Sequence[tuple[float, float]]) -> Html:
    path = "".join(
        f"{'L' if at else 'M'}{x / 100 * WIDE:.1f} {y / 100 * HEIGHT:.1f}" for at, (x, y) in enumerate(places)
    )
    return h.svg(
        h.path(d=path, class_="line c0"),
        x=0,
        y=0,
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 {WIDE} {HEIGHT}",
        preserveAspectRatio="none",
    )


def _bar(found: Frontier, point: Point, colour: str) -> Html | None:
    if isnan(point.quality.mean):
        return None
    _, _, low, high = _bounds(found)
    x, _ = position(found, point)
    top, foot = _down(point.quality.high, low, high), _down(point.quality.low, low, high)
    return h.line(
        x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=f"{top:.2f}%", y2=f"{foot:.2f}%", class_=f"interval {colour}"
    )


def _named(found: Frontier, name: str, point: Point, lower: int) -> Child:
    """A point with its name beside it, on the side where there is room, some pixels lower."""
    if isnan(point.quality.mean) or isnan(point.price.mean):
        return None
    colour = "c2" if point is found.today else "c1"
    x, y = position(found, point)
    ends = x > (LEFT + RIGHT) / 2
    return (
        _bar(found, point, colour) if found.is_measured or point is found.today else None,
        h.circle(cx=f"{x:.2f}%", cy=f"{y:.2f}%", r=5, class_=f"fill {colour}"),
        h.text(
            name[:24],
            x=f"{x:.2f}%",
            y=f"{y:.2f}%",
            dx=-9 if ends else 9,
            dy=4 + lower,
            class_="axis",
            text_anchor="end" if ends else "start",
        ),
    )


def _scale(left: float, right: float, low: float, high: float, unit: Callable[[float | None], str]) -> Child:
    rows = [low + (high - low) * step / 2 for step in range(3)]
    across = [left + (right - left) * step / 2 for step in range(3)]
    anchors = ("start", "middle", "end")
    return (
        [
            (
                h.line(
                    x1=f"{LEFT}%",
                    x2=f"{RIGHT}%",
                    y1=f"{_down(value, low, high):.2f}%",
                    y2=f"{_down(value, low, high):.2f}%",
                    class_="grid-line",
                ),
                h.text(units.quality(value), x=0, y=f"{_down(value, low, high):.2f}%", dy=4, class_="axis"),
            )
            for value in rows
        ],
        [
            h.text(
                unit(value),
                x=f"{_across(value, left, right):.2f}%",
                y="98%",
                class_="axis",
                text_anchor=anchor,
            )
            for value, anchor in zip(across, anchors, strict=True)
        ],
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
