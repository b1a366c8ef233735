"""Now: is it healthy, what does it do, and what did it save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, lines, stacks
from edgewise.dashboard.condition import alerts_card, health_card
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card, choice, empty, tile, tiles
from edgewise.dashboard.page import Page, Refused, Reply, redirect
from edgewise.dashboard.rows import rows, shown
from edgewise.monitors.production import WINDOWS, figures_of, health_of, rules_for
from edgewise.monitors.production.histogram import quantile
from edgewise.monitors.production.rings import RINGS
from edgewise.monitors.production.tally import Tally
from edgewise.settings.alerts import LOW_IS_BAD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.monitors.production import Figures, ProductionMonitor
    from edgewise.monitors.production.patrol import Patrol
    from edgewise.settings.alerts import Rule

FIRST: Final = "1h"
WORDS: Final = {"5m": "5 minutes", "1h": "hour", "24h": "24 hours", "7d": "7 days"}
WIDTHS: Final = {60.0: "minute", 3600.0: "hour"}
LATEST: Final = 8
REST_S: Final = 2.0  # its look takes some 30 ms of CPU, which requests want, too
CHARTS: Final = ("traffic", "latency", "edge", "cost")


def _live(visit: Visit) -> Mapping[str, Html]:
    """The parts that change; none before the first request."""
    patrol = visit.sources.patrol
    listed = visit.sources.reader.listed(LATEST).found
    if patrol is None or not listed:
        return {}
    window, settings = _window(visit), visit.sources.settings
    rules = rules_for(settings.alerts)
    health = health_of(patrol.monitor, rules, patrol.alerts.standing, settings)
    figures = figures_of(patrol.monitor, window)
    return {
        "figures": _figures(figures, patrol.monitor.window(window), rules),
        "health": health_card(health),
        "alerts": alerts_card(patrol.alerts.standing),
        **_charts(patrol.monitor, window),
        "feed": joined(rows(listed)),
    }


def _body(visit: Visit) -> Html:
    patrol = visit.sources.patrol
    if patrol is None:
        return empty("The traffic is not watched.", "Set ", h.code("enabled = true"), " under [monitor].")
    here, parts = _window(visit), _live(visit)
    latest = visit.sources.reader.listed(LATEST).found
    if not parts or not latest:
        return _welcome(visit)
    windows = [(WORDS[window], visit.link(window=window), window == here) for window in WINDOWS]
    feed = shown(latest, id_="feed", caption="The latest decisions")
    return joined(
        (
            h.div(choice("How far back", windows), class_="bar"),
            h.div(parts["alerts"], id="alerts"),
            h.div(parts["figures"], id="figures"),
            h.div([h.section(parts[name], id=name, class_="card") for name in CHARTS], class_="grid"),
            card("Latest decisions", feed, note=h.a("all of them", href="/decisions")),
            h.section(parts["health"], id="health", class_="card"),
        )
    )


def _welcome(visit: Visit) -> Html:
    """What stands here before the first request."""
    candidates = ", ".join(candidate.id for candidate in visit.sources.router.candidates)
    client = h.span(", or point an OpenAI client at ", h.code("/v1"), " of this address.")
    return empty(
        "No request has come yet.",
        h.span("Open ", h.a("Try it", href="/try"), " and send one", client),
        h.span(f" {candidates} can answer."),
    )


def _window(visit: Visit) -> str:
    asked = visit.query.get("window", FIRST)
    return asked if asked in WINDOWS else FIRST


def _figures(figures: Figures, tally: Tally, rules: Sequence[Rule]) -> Html:
    said = figures.samples
    finished = tally.ok + tally.failed

    def state(name: str) -> str:
        """Bad where the first alert on this figure would begin, whatever its window."""
        value: float | None = getattr(figures, name)
        rule = next((rule for rule in rules if rule.figure == name), None)
        if rule is None or value is None or said[name] < rule.least:
            return ""
        limit = rule.band.enter
        return "bad" if (value <= limit if LOW_IS_BAD[name] else value >= limit) else ""

    tail = f"p95 {units.seconds(figures.p95_s)} · p99 {units.seconds(figures.p99_s)}"
    other = f"{tally.failed:,} of {finished:,} · {units.share(figures.fallback_rate)} answered by another"
    judged = f"0 to 1, by {tally.said:,} pieces of feedback" if tally.said else "no feedback yet"
    unpriced = f" · {tally.unpriced:,} calls without a price" if tally.unpriced else ""
    each = f"{units.usd(figures.cost_per_query)} a request{unpriced}"
    edge = f"{tally.edge:,} of {said['edge_share']:,}"
    return tiles(
        tile("Requests", units.count(figures.requests), f"in the last {WORDS[figures.window]}"),
        tile("At the edge", units.share(figures.edge_share), edge, state=state("edge_share")),
        tile("Latency, median", units.seconds(figures.p50_s), tail, state=state("p95_s")),
        tile("Failed", units.share(figures.error_rate), other, state=state("error_rate")),
        tile("Quality", units.quality(figures.quality), judged, state=state("quality")),
        tile("Spent", units.usd(figures.spent_usd), each, state=state("cost_per_query")),
        _saved(tally),
    )


def _saved(tally: Tally) -> Html:
    """Against the cloud giving every answer, at the mean of its own; a failure saves nobody anything."""
    if not tally.cloud or tally.cloud_usd <= 0:
        return tile("Saved", units.UNKNOWN, "unknown: nothing of this time went to a cloud with a price")
    each = tally.cloud_usd / tally.cloud
    mean = f"the mean of its own {units.counted(tally.cloud, 'request')}"
    given = units.counted(tally.ok, "answer")
    baseline = f"against the cloud giving all {given} at {units.usd(each)}, {mean}"
    return tile("Saved, estimated", units.usd(each * tally.ok - tally.cost_usd), baseline)


def _charts(monitor: ProductionMonitor, window: str) -> Mapping[str, Html]:
    width, number = RINGS[window]
    last = int(monitor.now // width)
    known = {int(at // width): tally for at, tally in monitor.buckets(window)}
    buckets = range(last - number + 1, last + 1)
    counted = [known.get(at, Tally()) for at in buckets]
    steps = [at * width for at in buckets]
    each = WIDTHS.get(width) or units.seconds(width)

    def series(name: str, read: Callable[[Tally], float | None], colour: int) -> Series:
        return Series(name, [read(tally) for tally in counted], colour)

    placed = [series("edge", lambda t: t.edge, 0), series("cloud", lambda t: t.cloud, 1)]
    latency = [
        series("median", lambda t: quantile(t.took, 0.5), 0),
        series("95th percentile", lambda t: quantile(t.took, 0.95), 2),
    ]
    share = [series("edge", lambda t: t.edge / (t.edge + t.cloud) if t.edge + t.cloud else None, 0)]
    spent = [series("spent", lambda t: t.paid_usd, 1)]
    return {
        "traffic": stacks(f"Requests per {each}", steps, placed, units.count),
        "latency": lines("Latency of answers", steps, latency, units.seconds),
        "edge": lines("Share answered at the edge", steps, share, units.share, most=1.0),
        "cost": stacks(f"Spent per {each}", steps, spent, units.usd),
    }


def _acknowledge(visit: Visit) -> Reply:
    """Note that somebody knows of an alert."""
    patrol: Patrol | None = visit.sources.patrol
    if patrol is None or not patrol.acknowledge(visit.form.get("alert", "")):
        raise Refused("There is no such alert any more.")
    return redirect("/now")


PAGE = Page("/now", "Now", _body, live=_live, actions={"acknowledge": _acknowledge}, rest_s=REST_S)
