"""Numbers as people read them: with their unit, and with no more digits than they deserve."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor, isnan, log10
from typing import TYPE_CHECKING, Final

from edgewise.dashboard.html import Html, h

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN: Final = "\N{EN DASH}"
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
TEN: Final = 10
LEAST_USD: Final = 1e-7  # below it, zeros would fill the line


def count(number: float | None) -> str:
    """`1,234`."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def share(value: float | None) -> str:
    """`81.5 %`, of a number from 0 to 1."""
    return UNKNOWN if value is None or isnan(value) else f"{value * 100:.1f} %".replace("-", "\N{MINUS SIGN}")


def quality(value: float | None) -> str:
    """`0.85`, of a number from 0 to 1."""
    return UNKNOWN if value is None or isnan(value) else f"{value:.2f}"


def seconds(value: float | None) -> str:
    """`250 ms`, `1.5 s`, `3 min`, `2.5 h`."""
    if value is None or isnan(value):
        return UNKNOWN
    size = abs(value)
    if size < 0.001:  # noqa: PLR2004 - a millisecond
        return f"{value * 1e6:.0f} µs"
    if size < 1.0:
        return f"{value * 1000:.0f} ms"
    if size < MINUTE_S:
        return f"{value:.1f} s" if size < TEN else f"{value:.0f} s"
    if size < HOUR_S:
        return f"{value / MINUTE_S:.0f} min"
    return f"{value / HOUR_S:.3g} h" if size < 2 * DAY_S else f"{value / DAY_S:.0f} days"


def usd(value: float | None) -> str:
    """`$1,234`, `$12.30`, `$0.0042`: cents where there are any, and two digits below them."""
    if value is None or isnan(value):
        return UNKNOWN
    size = abs(value)
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    if size == 0.0:
        return "$0"
    if size >= 1000:  # noqa: PLR2004 - cents no longer matter
        return f"{sign}${size:,.0f}"
    if size < LEAST_USD:
        return f"{sign}${size:.1e}"
    return f"{sign}${size:.{max(2, 1 - floor(log10(size)))}f}"


def counted(number: int, noun: str) -> str:
    """`1 call`, `1,234 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(value: float | None) -> str:
    """`20.4 GB`, of bytes."""
    if value is None:
        return UNKNOWN
    power = next((power for power in (12, 9, 6, 3) if abs(value) >= 10**power), 0)
    return f"{value / 10**power:.3g} {({12: 'T', 9: 'G', 6: 'M', 3: 'k'}).get(power, '')}B"


def compact(value: float | None) -> str:
    """A number for an axis: `0.5`, `12`, `1.2k`, `3.4M`."""
    if value is None or isnan(value):
        return UNKNOWN
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def of_unit(unit: str) -> Callable[[float | None], str]:
    """How a value of this unit is said."""
    if unit == "share":
        return share
    if unit == "s":
        return seconds
    if unit == "USD":
        return usd
    if unit == "bytes":
        return size
    if unit == "yes or no":
        return _yes_or_no

    def said(value: float | None) -> str:
        return f"{compact(value)} {unit}".strip()

    return said


def _yes_or_no(value: float | None) -> str:
    return UNKNOWN if value is None else "yes" if value >= 0.5 else "no"  # noqa: PLR2004 - it is 0 or 1


def ago(at: float, now: float) -> str:
    """`12 s ago`; for what lies ahead, by a clock that was set, `now`."""
    past = now - at
    return "now" if past < 1 else f"{seconds(past)} ago"


def iso(at: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(at: float) -> str:
    """`14:03` in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def moment(at: float, *, brief: bool = False) -> Html:
    """A time: UTC for whoever reads the markup, and the reader's own time zone once the page's script ran.

    `brief` leaves out the day.
    """
    there = datetime.fromtimestamp(at, UTC)
    told = there.strftime("%H:%M:%S") if brief else there.strftime("%Y-%m-%d %H:%M:%S")
    return h.time(f"{told} UTC", datetime=iso(at), data_brief=brief)
