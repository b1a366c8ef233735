"""Learning: are forecasts right, does the world still fit them, and what is there to learn from."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

from edgewise.dashboard import drifted, lessons, units
from edgewise.dashboard.charts import whiskers
from edgewise.dashboard.exploration import Exploration, spent_on
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card, empty, tile, tiles
from edgewise.dashboard.page import Page
from edgewise.dashboard.reliability import reliability
from edgewise.dashboard.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.monitors.drift import Calibration, DriftReport
    from edgewise.monitors.drift.calibration import Coverage
    from edgewise.outcomes.lessons import Labelled, Tried

MOST: Final = 5_000  # labels, and decisions: what a page may read in its time
FORESEEN: Final = 2_000  # decisions that are read with their forecasts
DIAGRAMS: Final = 12
ROWS: Final = 24
LEAST_COVERED: Final = 0.7  # where the scale of coverage begins, at the latest


def _body(visit: Visit) -> Html:
    if not visit.sources.reader.tried(1):
        return empty(
            "There is nothing to learn from yet.",
            "Send requests, for example at ", h.a("Try it", href="/try"),
            ", and say how good the answers were: with the buttons of a decision's page, or by ",
            h.code("POST /v1/feedback"), ".",
        )  # fmt: skip
    parts = _live(visit)
    return joined(
        (
            h.div(parts["sums"], id="sums"),
            h.div(parts["broken"], id="broken"),
            card("Are forecasts right?", h.div(parts["calibration"], id="calibration")),
            card("Is the world still the one that was learned from?", h.div(parts["drift"], id="drift")),
            card("What exploration took", h.div(parts["exploration"], id="exploration")),
            card(
                "Labels", h.div(parts["labels"], id="labels"), note=f"the latest {units.count(MOST)} at most"
            ),
        )
    )


def _live(visit: Visit) -> Mapping[str, Html]:
    reader, found = visit.sources.reader, _report(visit)
    if not reader.tried(1):
        return {}
    labels, choices, taken = reader.labelled(MOST), reader.tried(MOST), spent_on(reader.foreseen(FORESEEN))
    retrained = visit.sources.settings.monitor.retrain is not None
    return {
        "sums": _sums(labels, choices, taken, found),
        "broken": drifted.broken(found.shifts if found else (), retrained=retrained),
        "calibration": _calibration(found) if found else _unwatched(),
        "drift": _drift(found) if found else _unwatched(),
        "exploration": lessons.exploration(choices, taken),
        "labels": lessons.labels(labels),
    }


def _report(visit: Visit) -> DriftReport | None:
    patrol = visit.sources.patrol
    drift = patrol.monitor.drift if patrol is not None else None
    return None if drift is None else drift.report()


def _unwatched() -> Html:
    return empty("Drift is not watched.", "Set ", h.code("enabled = true"), " under [monitor].")


def _sums(
    labels: Sequence[Labelled], choices: Sequence[Tried], taken: Exploration, found: DriftReport | None
) -> Html:
    labelled = sum(one.labels for one in labels)
    sources = units.counted(len({one.source for one in labels}), "source")
    chosen, explored = sum(one.chosen for one in choices), sum(one.explored for one in choices)
    shown = [
        tile("Labels", units.count(labelled), f"from {sources}"),
        tile(
            "Explored", units.share(explored / chosen if chosen else None),
            f"{explored:,} of the latest {chosen:,} choices",
        ),
        tile(
            "Exploration cost", units.usd(taken.usd),
            f"more than the favourites, by forecast, over {taken.priced:,} choices",
        ),
    ]  # fmt: skip
    if found is None:
        return tiles(*shown)
    judged = [one for one in found.calibration if one.ece is not None]
    worst = max(judged, key=lambda one: one.ece or 0.0, default=None)
    broken = sum(shift.since is not None for shift in found.shifts)
    return tiles(
        tile(
            "Largest calibration error", units.quality(worst.ece if worst else None),
            f"{worst.candidate}; {units.quality(worst.by_chance)} by chance"
            if worst
            else "no label has a forecast",
        ),
        tile(
            "Drifted", units.count(broken), f"of {len(found.shifts):,} figures that are watched",
            state="bad" if broken else "",
        ),
        *shown,
    )  # fmt: skip


def _calibration(found: DriftReport) -> Html:
    every = sorted(found.calibration, key=lambda one: -one.labels)
    drawn = [one for one in every if one.bins][:DIAGRAMS]
    timed = [(one.candidate, one.latency) for one in every if one.latency is not None][:ROWS]
    if not drawn and not timed:
        return empty(
            "No finished answer had a forecast.",
            "A bundle forecasts: ", h.code("edgewise train"), ", then ", h.code("edgewise deploy"),
            ". Labels come from ", h.code("POST /v1/feedback"), " or [judge].",
        )  # fmt: skip
    diagrams = [reliability(one, at % 4) for at, one in enumerate(drawn)]
    if timed:
        diagrams.append(_coverage(timed))
    return joined((h.div(diagrams, class_="grid"), _errors(every[:ROWS])))


def _coverage(timed: Sequence[tuple[str, Coverage]]) -> Html:
    rows = [(name, one.share, one.low, one.high) for name, one in timed]
    least = min(LEAST_COVERED, *(floor(10 * one.low) / 10 for _, one in timed))
    colours = [at % 4 for at in range(len(rows))]
    drawn = whiskers(
        "Latencies within their interval", rows, units.share, least=least, most=1.0, colours=colours
    )
    should = f"{timed[0][1].level:.0%}".replace("%", " %")
    return h.div(drawn, h.p(f"{should} should be; bars are 95 % intervals.", class_="note"))


def _errors(every: Sequence[Calibration]) -> Html:
    rows = [
        (
            one.candidate,
            units.count(one.labels),
            units.quality(one.ece),
            units.quality(one.by_chance),
            units.share(one.covered),
            units.share(one.latency.share if one.latency else None),
            f"{one.latency.ratio:.2f} times" if one.latency else units.UNKNOWN,
        )
        for one in every
    ]
    columns = (
        "candidate", "labels", "calibration error", "by chance", "quality within interval",
        "latency within interval", "latency against forecast",
    )  # fmt: skip
    return table(columns, rows, caption="Calibration of every candidate", numbers=range(1, 7))


def _drift(found: DriftReport) -> Html:
    if not found.answers:
        return empty(
            "No answer has been compared yet.",
            "The log is read when the gateway starts, and then once a minute; requests bring answers.",
        )
    about = f"{units.count(found.answers)} answers were read."
    return joined(
        (
            drifted.shifts(found.shifts[: 2 * ROWS]),
            h.h3("Prompts"),
            drifted.prompts(found.prompts),
            h.p(about, class_="note"),
        )
    )


PAGE = Page("/learning", "Learning", _body, live=_live)
