"""Money: what calls cost, what may be spent, and what routing saved against always asking one candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, stacks
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card, choice, empty, notice, tile, tiles
from edgewise.dashboard.page import Page
from edgewise.dashboard.savings import Saved, saved_against
from edgewise.dashboard.tables import table
from edgewise.monitors.production.costs import costs_of
from edgewise.monitors.production.rings import RINGS
from edgewise.monitors.production.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.monitors.production.costs import Costs
    from edgewise.outcomes.booking import Booked

MOST: Final = 20_000  # requests: what a page may count in its time
RECENT: Final = 100
STATES: Final = {
    "billed": "by the usage that the endpoint reported",
    "estimated": "by our own count of tokens",
    "unpriced": "the candidate has no price: in no sum",
}


def _body(visit: Visit) -> Html:
    rows = visit.sources.reader.booked(MOST)
    if not rows:
        return empty(
            "Nothing has been spent yet.", "Ask something, for example at ", h.a("Try it", href="/try"), "."
        )
    live = _spending(visit)
    own = [row for row in rows if not row.shadow]
    return joined(
        (
            h.div(live.get("spent"), id="spent"),
            _unpriced(rows),
            card("Spent, hour by hour", h.div(live["hours"], id="hours")) if "hours" in live else None,
            card("Saved", _saved(visit, own), note=_counted(own)),
            card("Ledger", _ledger(rows), note=_counted(rows)),
            card("Budgets", _budgets(visit)),
        )
    )


def _live(visit: Visit) -> Mapping[str, Html]:
    """The parts that change; none before the first answer."""
    return _spending(visit) if visit.sources.reader.booked(RECENT) else {}


def _spending(visit: Visit) -> Mapping[str, Html]:
    patrol = visit.sources.patrol
    if patrol is None:
        return {}
    costs = costs_of(patrol.monitor)
    today = patrol.monitor.ledger.today
    limit = costs.usd_per_day
    state = (
        "" if not limit else "bad" if costs.today >= limit else "warn" if costs.today >= 0.9 * limit else ""
    )
    spent = tiles(
        tile(
            "Today",
            units.usd(costs.today),
            f"of {units.usd(limit)} a day" if limit else "no budget",
            state=state,
        ),
        tile("Today, billed", units.usd(today.billed), f"and {units.usd(today.estimated)} estimated"),
        tile("Last 7 days", units.usd(costs.last_7d), f"24 h: {units.usd(costs.last_24h)}"),
        tile("Today, projected", units.usd(costs.day_projected), "an estimate"),
        tile("30 days, projected", units.usd(costs.month_projected), "an estimate"),
    )
    width, number = RINGS["7d"]
    last = int(patrol.monitor.now // width)
    known = {int(at // width): tally for at, tally in patrol.monitor.buckets("7d")}
    hours = [known.get(at, Tally()) for at in range(last - number + 1, last + 1)]
    cloud = [tally.cloud_usd for tally in hours]
    others = [max(0.0, tally.paid_usd - tally.cloud_usd) for tally in hours]
    steps = [(last - number + 1 + at) * width for at in range(number)]
    series = [Series("clients' requests to a cloud", cloud, 1), Series("edge and shadows", others, 0)]
    return {
        "spent": joined((spent, h.p(_basis(costs), class_="note"))),
        "hours": stacks("USD an hour", steps, series, units.usd),
    }


def _basis(costs: Costs) -> str:
    if costs.day_projected is None:
        return f"{costs.basis.capitalize()}."
    return f"Projections rest on: {costs.basis}."


def _unpriced(rows: Sequence[Booked]) -> Html | None:
    names = sorted({row.candidate for row in rows if row.state == "unpriced"})
    if not names:
        return None
    return notice(f"{', '.join(names)}: no price is known, so what they cost is in no sum. Set `price`.")


def _counted(rows: Sequence[Booked]) -> Html:
    requests = sum(row.requests for row in rows)
    if not rows:
        return h.span("of no request")
    since = units.moment(min(row.oldest for row in rows))
    return h.span(f"the latest {units.counted(requests, 'request')}, since ", since)


def _saved(visit: Visit, rows: Sequence[Booked]) -> Html:
    found = saved_against(rows, {c.id: c for c in visit.sources.router.candidates})
    if not found:
        return h.p("No candidate has a price, so there is nothing to compare with.", class_="quiet-text")
    names = [one.baseline for one in found]
    asked = visit.query.get("baseline", "")
    here = next((one for one in found if one.baseline == asked), found[0])
    options = [(name, visit.link(baseline=name), name == here.baseline) for name in names]
    return joined((h.div(choice("Baseline", options), class_="bar"), _told(here), _compared(found)))


def _told(saved: Saved) -> Html:
    state = "good" if saved.saved_usd > 0 else ""
    return tiles(
        tile("Recorded cost", units.usd(saved.recorded_usd), "of these requests"),
        tile(
            f"Always {saved.baseline}",
            units.usd(saved.baseline_usd),
            "the same tokens at its price: estimated",
        ),
        tile(
            "Saved",
            units.usd(saved.saved_usd),
            units.share(saved.share) if saved.share is not None else "nothing to save",
            state=state,
        ),
    )


def _compared(found: Sequence[Saved]) -> Html:
    rows = [
        (
            f"always {one.baseline}",
            units.usd(one.recorded_usd),
            units.usd(one.baseline_usd),
            _interval(one),
            units.usd(one.saved_usd),
            units.share(one.share),
        )
        for one in found
    ]
    columns = (
        "baseline", "recorded", "baseline, same tokens (estimated)", "baseline, its own mean cost [95 %]",
        "saved (estimated)", "share",
    )  # fmt: skip
    about = (
        "Recorded is what the log says that these requests cost. A baseline is what they would have cost had "
        "one candidate answered all of them: with the very tokens that were counted, at its price; and "
        "beside it, where it answered at least 30 of them, at the mean cost of its own answers. Requests "
        "whose tokens or cost nobody knows are in neither."
    )
    return joined(
        (table(columns, rows, caption="Savings by baseline", numbers=range(1, 6)), h.p(about, class_="note"))
    )


def _interval(saved: Saved) -> str:
    if saved.own is None:
        return units.UNKNOWN
    own = saved.own
    return f"{units.usd(own.mean)} [{units.usd(own.low)}, {units.usd(own.high)}]"


def _ledger(rows: Sequence[Booked]) -> Html:
    told = [
        (
            row.candidate,
            h.span(row.state, title=STATES[row.state]),
            "shadow" if row.shadow else "fallback" if row.candidate != row.chosen else "",
            units.count(row.requests),
            units.count(row.input_tokens),
            units.count(row.output_tokens),
            units.usd(row.usd) if row.state != "unpriced" else units.UNKNOWN,
        )
        for row in sorted(rows, key=lambda row: -row.usd)
    ]
    columns = ("candidate", "cost is", "as", "requests", "tokens in", "tokens out", "cost")
    about = joined([(h.strong(state), f" {said}. ") for state, said in STATES.items()])
    return joined(
        (table(columns, told, caption="Ledger by state", numbers=(3, 4, 5, 6)), h.p(about, class_="note"))
    )


def _budgets(visit: Visit) -> Html:
    settings = visit.sources.settings
    budget, patrol = settings.budget, visit.sources.patrol
    rows: list[tuple[str, str, str]] = []
    if budget.usd_per_day is not None:
        spent = patrol.monitor.ledger.today.usd if patrol is not None else None
        rows.append(("everything, a day", units.usd(spent), units.usd(budget.usd_per_day)))
    if budget.usd_per_request is not None:
        rows.append(("one request", units.UNKNOWN, units.usd(budget.usd_per_request)))
    keyed = [key for key in settings.server.keys if key.usd_per_day is not None]
    if keyed and patrol is not None:
        spending = visit.sources.reader.spent_by_key(patrol.monitor.ledger.begins)
        rows += [
            (f"key {key.name}, a day", units.usd(spending.get(key.name, 0.0)), units.usd(key.usd_per_day))
            for key in keyed
        ]
    if not rows:
        return h.p(
            "No budget is set. ", h.code("usd_per_day"), " under [budget] sets one.", class_="quiet-text"
        )
    return table(("budget", "spent today", "limit"), rows, caption="Budgets", numbers=(1, 2))


PAGE = Page("/money", "Money", _body, live=_live)
