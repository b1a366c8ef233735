"""Now: is it healthy, what does it do, and what did it save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, lines, stacks
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import choice, empty, tile, tiles
from edgewise.dashboard.page import Page
from edgewise.monitors.production import WINDOWS, figures_of
from edgewise.monitors.production.histogram import quantile
from edgewise.monitors.production.rings import RINGS
from edgewise.monitors.production.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.dashboard.page import Visit
    from edgewise.monitors.production import Figures, ProductionMonitor

FIRST: Final = "1h"


def _live(visit: Visit) -> Mapping[str, Html]:
    """The parts that change."""
    patrol = visit.sources.patrol
    if patrol is None:
        return {}
    window = _window(visit)
    return {"figures": _figures(figures_of(patrol.monitor, window)), **_charts(patrol.monitor, window)}


def _body(visit: Visit) -> Html:
    if visit.sources.patrol is None:
        return empty("The traffic is not watched.", "Set ", h.code("enabled = true"), " under [monitor].")
    here, parts = _window(visit), _live(visit)
    windows = [(window, visit.link(window=window), window == here) for window in WINDOWS]
    charts = [
        h.section(html, id=name, class_="card", aria_label=name)
        for name, html in parts.items()
        if name != "figures"
    ]
    return joined(
        (
            h.div(choice("How far back", windows), class_="bar"),
            h.div(parts["figures"], id="figures"),
            h.div(charts, class_="grid"),
        )
    )


def _window(visit: Visit) -> str:
    asked = visit.query.get("window", FIRST)
    return asked if asked in WINDOWS else FIRST


def _figures(figures: Figures) -> Html:
    return tiles(
        tile("Requests", units.count(figures.requests), f"in {figures.window}"),
        tile(
            "At the edge", units.share(figures.edge_share), f"of {figures.samples['edge_share']:,} requests"
        ),
        tile("Latency, median", units.seconds(figures.p50_s), f"95 %: {units.seconds(figures.p95_s)}"),
    )


def _charts(monitor: ProductionMonitor, window: str) -> Mapping[str, Html]:
    width, number = RINGS[window]
    last = int(monitor.now // width)
    known = {int(at // width): tally for at, tally in monitor.buckets(window)}
    buckets = range(last - number + 1, last + 1)
    counted = [known.get(at, Tally()) for at in buckets]
    steps = [at * width for at in buckets]
    traffic = [
        Series("edge", [float(one.edge) for one in counted], 0),
        Series("cloud", [float(one.cloud) for one in counted], 1),
    ]
    latency = [
        Series("median", [quantile(one.took, 0.5) for one in counted], 0),
        Series("95th percentile", [quantile(one.took, 0.95) for one in counted], 1),
    ]
    return {
        "traffic": stacks("Requests", steps, traffic, units.count),
        "latency": lines("Latency of answers", steps, latency, units.seconds),
    }


PAGE = Page("/now", "Now", _body, live=_live)
