"""Decisions in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.shown import CAPTION, candidate, text
from edgewise.dashboard.tables import row, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.outcomes.listing import Listed

COLUMNS: Final = ("when", "answered by", "why", "prompt", "ended", "latency", "cost", "quality")
NUMBERS: Final = (5, 6, 7)
STATES: Final = {"ok": "good", "error": "bad", "cancelled": "warn", "incomplete": "bad"}


def shown(found: Sequence[Listed], *, id_: str, caption: str) -> Html:
    """A table of decisions whose rows keep their place while others come; `id_` is that of its body."""
    return table(COLUMNS, (), caption=caption, numbers=NUMBERS, id_=id_, rows_html=rows(found))


def rows(found: Sequence[Listed]) -> list[Html]:
    """Its rows."""
    return [
        row(_cells(one), numbers=NUMBERS, id_=f"d-{one.id}", mark="" if one.status else "waiting")
        for one in found
    ]


def _cells(one: Listed) -> list[Child]:
    who = one.candidate if one.status == "ok" and one.candidate else one.chosen
    other = who != one.chosen
    place = "" if other else one.location
    prompt = one.prompt
    return [
        h.a(units.moment(one.at, brief=True), href=f"/decisions/{one.id}"),
        [candidate(who, place), h.span(f" after {one.chosen}", class_="note") if other else None],
        h.span(one.reason.replace("_", " "), class_="nowrap"),
        h.div(text(prompt, CAPTION), class_="prompt") if prompt else h.span("not kept", class_="note"),
        ended(one.status),
        units.seconds(one.latency_s),
        cost(one),
        units.quality(one.quality),
    ]


def ended(status: str | None) -> Html:
    """How it ended, as a badge."""
    if status is None:
        return h.span("under way", class_="badge")
    return h.span(status, class_=f"badge {STATES.get(status, '')}".strip())


def cost(one: Listed) -> Child:
    """USD; what is not billed says so."""
    if one.cost_usd is None:
        return "unpriced" if one.cost_state == "unpriced" and one.status else units.UNKNOWN
    mark = (
        h.abbr("≈", title="estimated: the tokens were not reported")
        if one.cost_state == "estimated"
        else None
    )
    return [mark, units.usd(one.cost_usd)]
