"""A chart as SVG whose points say more when one points at them; it needs no library and no server."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 46
TICKS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    """One point: where, how large (radius in pixels), its colour, and what it says, line by line."""

    x: float
    y: float
    radius: float
    colour: str
    says: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis from 0 to `most` (above 0), with its title."""

    title: str
    most: float

    def ticks(self) -> list[float]:
        """Round numbers from 0 on, at most `TICKS` of them."""
        rough = self.most / TICKS
        power = 10.0 ** floor(log10(rough))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
        return [step * place for place in range(int(self.most / step) + 1)]


def chart(title: str, x: Axis, y: Axis, dots: Sequence[Dot], legend: Sequence[tuple[str, str]]) -> str:
    """The SVG. `legend` are names with their colours."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(value: float) -> float:
        return round(LEFT + wide * value / x.most, 1)

    def up(value: float) -> float:
        return round(TOP + high * (1 - value / y.most), 1)

    parts = [f'<text x="{LEFT}" y="18" class="title">{escape(title)}</text>']
    for tick in x.ticks():
        parts.append(f'<line x1="{across(tick)}" x2="{across(tick)}" y1="{TOP}" y2="{TOP + high}"/>')
        parts.append(f'<text x="{across(tick)}" y="{TOP + high + 16}" class="mid">{tick:g}</text>')
    for tick in y.ticks():
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{up(tick)}" y2="{up(tick)}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(tick) + 4}" class="end">{tick:g}</text>')
    parts.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 8}" class="mid">{escape(x.title)}</text>')
    parts.append(
        f'<text transform="translate(14 {TOP + high / 2}) rotate(-90)" class="mid">{escape(y.title)}</text>'
    )
    for dot in sorted(dots, key=lambda one: -one.radius):  # small ones lie on top
        says = escape(dot.says, quote=True)
        parts.append(
            f'<circle cx="{across(dot.x)}" cy="{up(dot.y)}" r="{dot.radius:.1f}" fill="{dot.colour}" '
            f'data-says="{says}"><title>{says}</title></circle>'
        )
    for place, (name, colour) in enumerate(legend):
        parts.append(f'<circle cx="{WIDTH - 150}" cy="{TOP + 8 + 18 * place}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - 140}" y="{TOP + 12 + 18 * place}">{escape(name)}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
