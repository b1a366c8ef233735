"""Cards about drift: what broke and where, and how prompts moved away from those that were learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.html import Child, Html, h, joined
from edgewise.dashboard.layout import notice
from edgewise.dashboard.shown import text
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.monitors.drift import Moved, Prompts, Shift, Slice

SMALL, LARGE = 0.1, 0.25  # population stability: the usual rule of thumb
SHOWN: Final = 8  # statistics
SURE: Final = 4.0  # evidence, as a power of ten, at which a shift begins to stand
NAMES: Final = {"quality": "quality", "latency_s": "latency"}
AGAINST: Final = {"forecast": "the forecast", "past": "its own past"}


def broken(shifts: Sequence[Shift], *, retrained: bool) -> Html:
    """A line for each shift that stands, with the slice that it comes from, and what would help."""
    standing = [shift for shift in shifts if shift.since is not None]
    if not standing:
        return joined(())
    trained: Child = (
        ["A candidate is trained; look at ", h.a("Policies", href="/policies"), "."]
        if retrained
        else [h.code("edgewise train"), " learns from what the log has by now; ",
              h.code("[monitor] retrain"), " does it by itself."]
    )  # fmt: skip
    said = [
        h.div(
            h.span(
                h.strong(f"{shift.candidate}: {NAMES[shift.metric]} {_amount(shift)}"),
                " since ", units.moment(shift.since or 0.0), ", ", _where(shift.slice), ". ",
            ),
            class_="notice row bad",
            role="status",
        )
        for shift in standing
    ]  # fmt: skip
    return joined((said, h.p(trained, class_="note")))


def shifts(found: Sequence[Shift]) -> Html:
    """Every candidate's quality and latency against what was expected of them."""
    rows = [
        (
            shift.candidate,
            NAMES[shift.metric],
            AGAINST[shift.against],
            _amount(shift),
            h.meter(
                value=f"{min(SURE, shift.strength):.2f}", min=0, max=SURE, low=SURE / 2, high=SURE - 0.01,
                optimum=0, aria_label=f"evidence {shift.strength:g} of {SURE:g}",
            ),
            units.count(shift.samples),
            _state(shift),
            text(_part(shift.slice)) if shift.slice is not None else units.UNKNOWN,
        )
        for shift in found
    ]  # fmt: skip
    columns = ("candidate", "what", "against", "is", "evidence", "answers", "state", "most of all")
    return table(columns, rows, caption="Quality and latency against what was expected", numbers=(3, 5))


def prompts(found: Prompts) -> Html:
    """How far the statistics of prompts moved, the furthest first; or why nothing can be said."""
    far = None
    if found.far_share is not None:
        far = h.p(
            h.strong(units.share(found.far_share)),
            f" of {units.count(found.judged)} prompts are unlike all that the policy learned from.",
        )
    if not found.moved:
        return joined((far, notice(f"Prompts are not compared: {found.why}.")))
    told = f"{units.count(found.samples)} prompts of the last 24 hours against {found.against}."
    rows = [_moved(one) for one in found.moved[:SHOWN]]
    columns = ("statistic", "population stability", "moved", "is")
    return joined(
        (
            far,
            table(columns, rows, caption="Statistics of prompts that moved most", numbers=(1,)),
            h.p(told, " 0.1 is a small change, 0.25 a large one.", class_="note"),
        )
    )


def _moved(one: Moved) -> tuple[Child, ...]:
    state = "bad" if one.index >= LARGE else "warn" if one.index >= SMALL else "good"
    word = {"bad": "another", "warn": "somewhat other", "good": "as learned"}[state]
    return (
        h.code(one.name),
        f"{one.index:.2f}",
        "" if not one.index else f"{abs(one.places):.1f} tenths {'up' if one.places > 0 else 'down'}",
        h.span(word, class_=f"badge {state}"),
    )


def _amount(shift: Shift) -> str:
    if shift.amount is None:
        return "too few to say"
    if shift.metric == "latency_s":
        return f"{shift.amount:.2f} times"
    return f"{abs(shift.amount):.3f} {'lower' if shift.amount > 0 else 'higher'}"


def _state(shift: Shift) -> Html:
    if shift.since is None:
        return h.span("holds", class_="badge good")
    return h.span("broke ", units.moment(shift.since, brief=True), class_="badge bad")


def _where(part: Slice | None) -> str:
    return "in no part of the traffic more than elsewhere" if part is None else f"most of all {_part(part)}"


def _part(part: Slice) -> str:
    """The key's own name stands in `edgewise health` alone."""
    return f"{part.words} ({part.share:.0%} of the latest)".replace("%", " %")
