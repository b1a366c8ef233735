"""Cards about what there is to learn from: choices that chance made, and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.charts import Series, stacks
from edgewise.dashboard.html import Child, Html, h
from edgewise.dashboard.layout import empty
from edgewise.dashboard.shown import text
from edgewise.dashboard.tables import table
from edgewise.domain.feedback import GRADER, JUDGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.dashboard.exploration import Exploration, Group
    from edgewise.domain.decisions import Estimate
    from edgewise.outcomes.lessons import Labelled, Tried

ROWS: Final = 24
KINDS: Final = ("graders", "people and programs", "judges")


def exploration(choices: Sequence[Tried], taken: Exploration) -> Html:
    """How often chance chose, whom, and what that took: by forecast, and as measured."""
    explored = sum(one.explored for one in choices)
    if not explored:
        return empty(
            "No choice was an exploration.",
            "Without any, nobody can tell what others would have answered: set ", h.code("explore = 0.02"),
            " under [policy].",
        )  # fmt: skip
    shown = choices[:ROWS]
    bars = stacks(
        "Choices by candidate",
        [one.candidate for one in shown],
        [
            Series("as the policy wished", [float(one.chosen - one.explored) for one in shown], 0),
            Series("explored", [float(one.explored) for one in shown], 2),
        ],
        units.count,
    )
    return h.div(bars, h.div(_measured(taken), _toll(taken)), class_="grid")


def _measured(taken: Exploration) -> Html:
    def told(name: str, group: Group) -> tuple[Child, ...]:
        return (
            name,
            units.count(group.choices),
            units.count(group.rated),
            _between(group.quality, units.quality),
            _between(group.cost_usd, units.usd),
            _between(group.latency_s, units.seconds),
        )

    rows = (told("explored", taken.explored), told("favourites", taken.favourites))
    columns = ("choices", "number", "rated", "quality", "cost", "latency")
    return table(columns, rows, caption="Explored choices beside favourites, measured", numbers=range(1, 6))


def _toll(taken: Exploration) -> Html:
    if taken.usd is None:
        return h.p(
            "Without forecasts, nobody knows what the favourites would have cost instead.",
            class_="quiet-text",
        )
    told = f"{units.usd(abs(taken.usd))} {'more' if taken.usd >= 0 else 'less'}"
    quality = taken.quality or 0.0
    better = f"quality {abs(quality):.3f} {'lower' if quality >= 0 else 'higher'} on average"
    if taken.latency_s is None:
        slower = ""
    else:
        word = "longer" if taken.latency_s >= 0 else "less"
        slower = f", and answers that take {units.seconds(abs(taken.latency_s))} {word}"
    return h.p(
        f"By the forecasts of then, {taken.priced:,} explored choices cost {told} together than the "
        f"favourites would have, with {better}{slower}.",
        class_="note",
    )


def _between(estimate: Estimate | None, unit: Callable[[float | None], str]) -> Child:
    if estimate is None:
        return units.UNKNOWN
    span = f"{unit(estimate.low)} to {unit(estimate.high)}"
    return [unit(estimate.mean), h.br(), h.span(span, class_="note")]


def labels(found: Sequence[Labelled]) -> Html:
    """How many labels there are of each candidate, and who gave them."""
    if not found:
        return empty(
            "No answer has been rated.",
            "Use the buttons of a decision's page, send ", h.code("POST /v1/feedback"),
            ", or have a random share rated by ", h.code("edgewise judge"), ".",
        )  # fmt: skip
    names = list(dict.fromkeys(one.candidate for one in found))[:ROWS]
    series = [
        Series(kind, [_sum(found, name, kind) for name in names], at)
        for at, kind in enumerate(KINDS)
        if any(_kind(one) == kind for one in found)
    ]
    steps = [name or "unknown" for name in names]
    rows = [
        (
            text(one.source, 60),
            one.candidate or "unknown",
            units.count(one.labels),
            units.quality(one.quality),
            units.moment(one.latest),
        )
        for one in found[:ROWS]
    ]
    columns = ("source", "candidate", "labels", "quality", "latest")
    told = table(columns, rows, caption="Labels by source and candidate", numbers=(2, 3, 4))
    return h.div(stacks("Labels by candidate", steps, series, units.count), told, class_="grid")


def _sum(found: Sequence[Labelled], candidate: str, kind: str) -> float:
    return float(sum(o.labels for o in found if o.candidate == candidate and _kind(o) == kind))


def _kind(one: Labelled) -> str:
    if one.source.startswith(GRADER):
        return KINDS[0]
    return KINDS[2] if one.source.startswith(JUDGE) else KINDS[1]
