"""Attempts on a time line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.figure import figure
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.shown import text
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.domain.decisions import Attempt

EACH: Final = 30  # pixels a row
COLUMNS: Final = (
    "attempt", "candidate", "ended", "began after", "first token after", "took", "HTTP", "tokens", "cost",
    "what went wrong",
)  # fmt: skip


def timeline(attempts: Sequence[Attempt], places: Mapping[str, str]) -> Html:
    """A bar a call, from when it began to when it ended; light until the first token, where it is known."""
    last = max((one.started_s + one.latency_s for one in attempts), default=0.0) or 1.0
    height = EACH * len(attempts) + 18
    drawn = [
        _bar(at, one, last, f"c{1 if places.get(one.candidate) == 'cloud' else 0}")
        for at, one in enumerate(attempts)
    ]
    scale = [
        h.line(x1=f"{x}%", x2=f"{x}%", y1=0, y2=height - 16, class_="grid-line") for x in (0, 25, 50, 75, 100)
    ]
    foot = [
        h.text("0", x="0", y=height - 3, class_="axis"),
        h.text(units.seconds(last / 2), x="50%", y=height - 3, class_="axis", text_anchor="middle"),
        h.text(units.seconds(last), x="100%", y=height - 3, class_="axis", text_anchor="end"),
    ]
    svg = h.svg(scale, drawn, foot, height=height, width="100%", aria_hidden="true", focusable="false")
    data = table(
        COLUMNS,
        [_row(number, one) for number, one in enumerate(attempts, start=1)],
        caption="Attempts",
        numbers=(0, 3, 4, 5, 6, 7, 8),
    )
    return figure("Attempts on a time line", svg, data)


def _bar(at: int, one: Attempt, last: float, colour: str) -> list[Child]:
    top, tall = at * EACH + 2, 8
    begin, whole = one.started_s / last * 100, one.latency_s / last * 100
    wait = min(one.ttft_s or 0.0, one.latency_s) / last * 100
    failed = "" if one.status == "ok" else f" · {one.status}"
    label = f"{one.candidate[:40]} · {units.seconds(one.latency_s)}{failed}"
    late = begin > 50  # noqa: PLR2004 - the label of what begins in the right half ends there
    name = h.text(
        label,
        x="100%" if late else f"{begin:.2f}%",
        y=top + 11,
        class_="axis name",
        text_anchor="end" if late else "start",
    )
    y = top + 15
    return [
        name,
        h.rect(
            x=f"{begin:.2f}%",
            y=y,
            width=f"{max(0.4, whole):.2f}%",
            height=tall,
            rx=2,
            class_=f"band {colour}",
        ),
        h.rect(
            x=f"{begin + wait:.2f}%",
            y=y,
            width=f"{max(0.4, whole - wait):.2f}%",
            height=tall,
            rx=2,
            class_=f"fill {colour}",
        ),
    ]


def _row(number: int, one: Attempt) -> list[Child]:
    tokens = f"{one.input_tokens or 0:,} → {one.output_tokens or 0:,}"
    return [
        str(number),
        one.candidate,
        one.status,
        units.seconds(one.started_s),
        units.seconds(one.ttft_s),
        units.seconds(one.latency_s),
        str(one.http_status) if one.http_status else units.UNKNOWN,
        tokens if one.input_tokens is not None or one.output_tokens is not None else units.UNKNOWN,
        units.usd(one.cost_usd) if one.cost_usd is not None else one.cost_state,
        text(one.error, 300) if one.error else "",
    ]
