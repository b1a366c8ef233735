"""Frontier: quality against cost, latency or energy on one's own traffic, with a handle to move along it."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from edgewise.dashboard import units
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import button, card, choice, empty, notice, tile, tiles
from edgewise.dashboard.page import Page, Refused, redirect
from edgewise.dashboard.plane import plane, position
from edgewise.dashboard.tables import table
from edgewise.domain.errors import EdgewiseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.dashboard.page import Reply, Visit
    from edgewise.domain.decisions import Estimate
    from edgewise.learning.frontier import Frontier, Point

MOST: Final = 5_000  # decisions: what a page may weigh in its time
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
LEAST_S: Final = 3_600.0
MONTH_S: Final = 30 * DAY_S


class Preview(Struct, frozen=True):
    """What the page's script shows of a point, as it is to be read; `x` and `y` are where its marker goes."""

    objective: str
    quality: str
    among: str
    regret: str
    given_up: str
    price: str
    month: str
    share: list[float]
    said: str
    x: str
    y: str


def _joules(value: float | None) -> str:
    return f"{units.compact(value)} J"


def _usd_per_1k(value: float | None) -> str:
    return f"{units.usd(None if value is None else 1000 * value)} per 1,000"


AXES: Final[dict[str, tuple[str, Callable[[float | None], str]]]] = {
    "cost_usd": ("cost", _usd_per_1k),
    "latency_s": ("latency", units.seconds),
    "energy_j": ("energy", _joules),
}

PRICED: Final = {
    "cost_usd": "requests, estimated",
    "latency_s": "a request, estimated",
    "energy_j": "a request, estimated",
}


def _body(visit: Visit) -> Html:
    axis = _axis(visit)
    try:
        found = _drawn(visit, axis)
    except ImportError:
        return empty(
            "A frontier needs numpy.", "Install it with ", h.code("pip install 'edgewise[learn]'"), "."
        )
    here = [(f"quality and {AXES[name][0]}", visit.link(axis=name), name == axis) for name in AXES]
    chosen = h.div(choice("Weigh quality against", here), class_="bar")
    if found is None:
        return joined((_changed(visit), chosen, _nothing(axis)))
    return joined(
        (
            _changed(visit),
            chosen,
            _footing(found),
            h.div(_picture(found), _handle(visit, found), class_="grid"),
            card("Every setting", h.details(h.summary("Table"), _settings(found))),
            card("Single candidates and the log", _singles(found)),
        )
    )


def _axis(visit: Visit) -> str:
    asked = visit.query.get("axis") or visit.form.get("axis") or "cost_usd"
    return asked if asked in AXES else "cost_usd"


def _drawn(visit: Visit, axis: str) -> Frontier | None:
    from edgewise.learning.frontier import frontier  # noqa: PLC0415 - numpy is an extra

    return frontier(visit.sources.reader.foreseen(MOST), axis)


def _nothing(axis: str) -> Html:
    if axis == "energy_j":
        return empty(
            "No decision of the log has forecasts of energy.",
            "Give candidates ", h.code("power_watts"), ", and train a bundle from a log that has it.",
        )  # fmt: skip
    return empty(
        "No decision of the log rests on forecasts of quality and " + AXES[axis][0] + ".",
        "Train a bundle with ", h.code("edgewise train"), ", put it in charge with ",
        h.code("edgewise deploy"), ", and come back when requests have been decided by it.",
    )  # fmt: skip


def _changed(visit: Visit) -> Html | None:
    """What was applied last, and the way back."""
    aim = visit.sources.aim
    latest = aim.latest if aim is not None else None
    if latest is None:
        return None
    words = h.span("In force: ", h.code(latest.how), ", since ", units.moment(latest.at), ". ")
    return h.div(words, button("Undo", "/frontier/undo"), class_="notice good")


def _footing(found: Frontier) -> Html | None:
    if found.is_measured:
        return None
    return notice(
        f"Of these {found.rows:,} decisions {found.rated:,} were rated: too few. Every quality here is what "
        "the bundle believes, not what was measured. Feedback, or [judge], brings ratings."
    )


def _picture(found: Frontier) -> Html:
    name, unit = AXES[found.axis]
    title = f"Quality against {name} a request"
    note = (
        "Estimated, doubly robustly, from what was drawn by chance; bars are 95 % intervals."
        if found.is_measured
        else "The bundle's own forecasts."
    )
    return h.section(plane(title, found, unit), h.p(note, class_="note"), class_="card")


def _handle(visit: Visit, found: Frontier) -> Html:
    """The handle, what it previews, and the button that makes it so."""
    shown = _nearest(visit, found)
    pace = _pace(visit)
    data = [_preview(found, point, pace) for point in found.points]
    names = list(found.today.share)
    at_first = data[shown]
    preview = tiles(
        tile("Quality", h.span(at_first.quality, id="p-quality"), h.span(at_first.among, id="p-among")),
        tile(
            "Quality given up",
            h.span(at_first.regret, id="p-regret"),
            h.span(at_first.given_up, id="p-given"),
        ),
        tile(AXES[found.axis][0].capitalize(), h.span(at_first.price, id="p-price"), PRICED[found.axis]),
        tile("30 days", h.span(at_first.month, id="p-month"), "estimated, at the week's pace"),
    )
    shares = [
        h.div(
            h.span(name),
            h.progress(
                value=f"{found.points[shown].share[name]:.4f}", max="1", id=f"s-{at}", aria_label=name
            ),
            h.span(units.share(found.points[shown].share[name]), id=f"t-{at}", class_="number"),
            class_="share",
        )
        for at, name in enumerate(names)
    ]
    form = h.form(
        h.label("Thrift: from quality alone to the cheapest", for_="handle"),
        h.input(
            type="range", id="handle", name="at", min=0, max=len(found.points) - 1, step=1, value=shown,
            aria_valuetext=at_first.said, class_="wide",
        ),
        h.input(type="hidden", name="axis", value=found.axis),
        h.input(type="hidden", name="objective", id="objective", value=found.points[shown].objective),
        h.p(h.code(found.points[shown].objective, id="p-name"), class_="note", id="p-line"),
        preview,
        shares,
        _apply(visit),
        method="post",
        action="/frontier/apply",
        id="frontier",
        data_points=msgspec.json.encode(data).decode(),
    )  # fmt: skip
    return card("Where to be", form)


def _apply(visit: Visit) -> Html:
    if visit.sources.aim is None or visit.sources.configuration is None:
        return h.p("This Edgewise has no configuration file to write to.", class_="quiet-text")
    note = h.span(f"Writes [objective] in {visit.sources.configuration.name}; can be undone.", class_="note")
    return h.div(h.button("Apply", class_="main"), note, class_="bar")


def _nearest(visit: Visit, found: Frontier) -> int:
    """The setting that is in force, or the one whose price is nearest to today's."""
    own = visit.sources.settings.objective
    spelled = {point.objective: at for at, point in enumerate(found.points)}
    field = "weight" if found.axis == "cost_usd" else "floor"
    here = spelled.get(f"{own.name}:{getattr(own, field)!r}")
    if here is not None:
        return here
    price = found.today.price.mean
    if isnan(price):
        return 0
    return min(range(len(found.points)), key=lambda at: abs(found.points[at].price.mean - price))


def _preview(found: Frontier, point: Point, pace: float | None) -> Preview:
    _, unit = AXES[found.axis]
    month = point.price.mean * pace if pace is not None and found.axis == "cost_usd" else None
    x, y = position(found, point)
    quality, price = units.quality(point.quality.mean), unit(point.price.mean)
    return Preview(
        point.objective,
        quality,
        _between(point.quality, units.quality) if found.is_measured else "forecast, not measured",
        units.quality(point.regret.mean),
        _between(point.regret, units.quality) if found.is_measured else "forecast, not measured",
        price,
        units.usd(month),
        [round(share, 4) for share in point.share.values()],
        f"quality {quality}, {price}",
        f"{x:.2f}%",
        f"{y:.2f}%",
    )


def _pace(visit: Visit) -> float | None:
    """Requests in 30 days, at the pace of the last seven; None below an hour of traffic."""
    patrol = visit.sources.patrol
    if patrol is None:
        return None
    hours = patrol.monitor.buckets("7d")
    if not hours:
        return None
    observed_s = min(WEEK_S, patrol.monitor.now - hours[0][0])
    requests = sum(tally.requests for _, tally in hours)
    return requests / observed_s * MONTH_S if observed_s >= LEAST_S else None


def _between(estimate: Estimate, unit: Callable[[float | None], str]) -> str:
    return units.UNKNOWN if isnan(estimate.mean) else f"{unit(estimate.low)} to {unit(estimate.high)}"


def _settings(found: Frontier) -> Html:
    _, unit = AXES[found.axis]
    rows = [
        (
            h.code(point.objective),
            units.quality(point.quality.mean) if found.is_measured else units.UNKNOWN,
            _between(point.quality, units.quality) if found.is_measured else units.UNKNOWN,
            units.quality(point.foreseen_quality),
            unit(point.price.mean),
            ", ".join(f"{name} {units.share(share)}" for name, share in point.share.items() if share),
        )
        for point in found.points
    ]
    columns = ("setting", "quality, estimated", "95 %", "quality, forecast", AXES[found.axis][0], "shares")
    return table(columns, rows, caption="Every setting of the handle", numbers=(1, 2, 3, 4))


def _singles(found: Frontier) -> Html:
    _, unit = AXES[found.axis]
    rows = [
        (
            f"always {one.name}" if one is not found.today else "today, as logged",
            "measured" if one is found.today else "estimated" if found.is_measured else "forecast",
            units.quality(None if isnan(one.quality.mean) else one.quality.mean),
            _between(one.quality, units.quality) if found.is_measured else units.UNKNOWN,
            unit(None if isnan(one.price.mean) else one.price.mean),
        )
        for one in (*found.singles, found.today)
    ]
    columns = ("policy", "is", "quality", "95 %", AXES[found.axis][0])
    return table(columns, rows, caption="Single candidates and today's point", numbers=(2, 3, 4))


def _apply_action(visit: Visit) -> Reply:
    aim = visit.sources.aim
    if aim is None:
        raise Refused("This Edgewise has no configuration file to write to.")
    axis = _axis(visit)
    found = _drawn(visit, axis)
    spelled = {point.objective for point in found.points} if found is not None else set[str]()
    asked = visit.form.get("objective", "")
    if asked not in spelled:
        raise Refused("The traffic has moved on since this page was drawn; look again, and choose again.")
    _done(visit, aim.apply(asked))
    return redirect(f"/frontier?axis={axis}")


def _undo_action(visit: Visit) -> Reply:
    aim = visit.sources.aim
    if aim is None:
        raise Refused("This Edgewise has no configuration file to write to.")
    _done(visit, aim.undo())
    return redirect("/frontier")


def _done(visit: Visit, work: object) -> None:
    try:
        visit.wait(work)  # type: ignore[arg-type]
    except EdgewiseError as error:
        raise Refused(str(error)) from error


PAGE = Page(
    "/frontier",
    "Frontier",
    _body,
    actions={"apply": _apply_action, "undo": _undo_action},
    scripts=("frontier.js",),
)
