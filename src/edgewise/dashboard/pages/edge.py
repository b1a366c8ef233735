"""Edge: how the device fares, with the placements along the same time line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, lines, stacks
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card, choice, empty, tile, tiles
from edgewise.dashboard.page import Page
from edgewise.dashboard.tables import table
from edgewise.monitors.history import SPANS
from edgewise.monitors.production.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.domain.signals import Signal

FIRST: Final = "1h"
STATES: Final = {"normal": "good", "constrained": "warn", "critical": "bad", "unknown": ""}
# One chart a group: what stands in it by name, and the end of its scale.
CHARTS: Final[tuple[tuple[str, tuple[str, ...], float | None], ...]] = (
    ("Processor and memory in use", ("cpu", "memory"), 1.0),
    ("Tasks that waited", ("pressure_cpu", "pressure_memory", "pressure_io"), None),
    ("Load average per core", ("load",), None),
    ("GPU in use", ("gpu", "gpu_memory"), 1.0),
    ("Battery left", ("battery",), 1.0),
    ("Temperature of the processor", ("temperature",), None),
)
BY_CANDIDATE: Final = (
    ("Calls under way", "in_flight"),
    ("Wait in line", "queue_wait_s"),
    ("Latency of answers", "latency_s"),
    ("Round trip", "rtt_s"),
    ("Time to the first byte", "first_byte_s"),
)
NAMES: Final = {
    "cpu": "processor",
    "pressure_cpu": "for the processor",
    "pressure_memory": "for memory",
    "pressure_io": "for disks",
    "gpu_memory": "GPU memory",
}


def _body(visit: Visit) -> Html:
    history = visit.sources.history
    if history is None or not visit.sources.router.signals():
        return empty(
            "Nothing is read of this machine.",
            "Signals are off: set ", h.code("enabled = true"), " under [signals].",
        )  # fmt: skip
    here, parts = _span(visit), _live(visit)
    spans = [(span, visit.link(window=span), span == here) for span in SPANS]
    charts = [h.section(html, id=name, class_="card") for name, html in parts.items() if name[:5] == "chart"]
    return joined(
        (
            h.div(choice("How far back", spans), class_="bar"),
            h.div(parts["now"], id="now"),
            h.div(charts, class_="grid"),
            card("Every signal", h.div(parts["signals"], id="signals"), note="as of now"),
        )
    )


def _live(visit: Visit) -> Mapping[str, Html]:
    history = visit.sources.history
    if history is None:
        return {}
    signals = visit.sources.router.signals()
    steps, known = history.series(_span(visit))
    drawn: dict[str, Html] = {"chart-placements": _placements(visit, steps)}
    for at, (title, names, most) in enumerate(CHARTS):
        found = [name for name in names if name in known]
        if found:
            series = [Series(_named(name), known[name], place) for place, name in enumerate(found)]
            drawn[f"chart-{at}"] = lines(title, steps, series, _unit_of(signals, found[0]), most=most)
    for title, kind in BY_CANDIDATE:
        found = [name for name in known if name.startswith(f"{kind}:")][:5]
        if found:
            series = [Series(n.partition(":")[2], known[n], place) for place, n in enumerate(found)]
            drawn[f"chart-{kind}"] = lines(title, steps, series, _unit_of(signals, found[0]))
    return {"now": _now(signals), **drawn, "signals": _signals(visit, signals)}


def _span(visit: Visit) -> str:
    asked = visit.query.get("window", FIRST)
    return asked if asked in SPANS else FIRST


def _placements(visit: Visit, steps: Sequence[float]) -> Html:
    """Edge and cloud in the very buckets of the signals."""
    patrol = visit.sources.patrol
    span = _span(visit)
    known = {} if patrol is None else {int(at): tally for at, tally in patrol.monitor.buckets(span)}
    counted = [known.get(int(at), Tally()) for at in steps]
    series = [
        Series("edge", [float(one.edge) for one in counted], 0),
        Series("cloud", [float(one.cloud) for one in counted], 1),
    ]
    return stacks("Placements", steps, series, units.count)


def _now(signals: Mapping[str, Signal]) -> Html:
    shown = [
        tile(
            _named(name).capitalize(),
            _said(signals[name]),
            f"is {signals[name].state}",
            state=_state(signals[name]),
        )
        for name in ("cpu", "memory", "load", "gpu", "battery", "temperature", "link", "metered")
        if name in signals and signals[name].value is not None
    ]
    return tiles(*shown) if shown else h.p("Nothing is known of this machine yet.", class_="quiet-text")


def _signals(visit: Visit, signals: Mapping[str, Signal]) -> Html:
    rows = [
        (
            h.code(name),
            _said(signal),
            h.span(signal.state, class_=f"badge {STATES[signal.state]}".strip()),
            signal.source,
            units.ago(signal.at, visit.now),
        )
        for name, signal in sorted(signals.items())
    ]
    return table(
        ("signal", "value", "state", "from", "read"), rows, caption="Every signal as of now", numbers=(1, 4)
    )


def _named(name: str) -> str:
    return NAMES.get(name, name)


def _state(signal: Signal) -> str:
    return STATES[signal.state] if signal.state in {"constrained", "critical"} else ""


def _said(signal: Signal) -> str:
    return units.UNKNOWN if signal.value is None else units.of_unit(signal.unit)(signal.value)


def _unit_of(signals: Mapping[str, Signal], name: str) -> Callable[[float | None], str]:
    return units.of_unit(signals[name].unit if name in signals else "")


PAGE = Page("/edge", "Edge", _body, live=_live)
