"""Forecasts → utilities: under the bundle's objective or another, with what delays there are now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgewise.domain.errors import BundleError
from edgewise.policies.objectives import Measured, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.bundles.bundle import Bundle, Predicted

    Floats = NDArray[np.float32]

READ = ("quality", "latency_s", "cost_usd", "energy_j", "reward")
LATENCY = "latency_s"
# Of each metric, which end of its interval makes the utility low, and which one high.
WORST = {"quality": 0, "latency_s": 1, "cost_usd": 1, "energy_j": 1, "reward": 0}
BEST = {name: 1 - end for name, end in WORST.items()}


class Weighed(NamedTuple):
    """Utilities (n, c) as they decide, and the interval of each."""

    value: Floats
    low: Floats
    high: Floats


def lacking(bundle: Bundle, objective: Objective) -> tuple[str, ...]:
    """The metrics that the objective reads and the bundle never forecasts."""
    return tuple(name for name in objective.needs if name not in bundle.learned)


def refuse_lacking(bundle: Bundle, objective: Objective) -> None:
    """Raise `BundleError` where the objective needs what the bundle never forecasts."""
    if missing := lacking(bundle, objective):
        raise BundleError(
            f"The objective '{objective.name}' needs forecasts of {', '.join(missing)}; "
            f"this bundle learned {', '.join(sorted(bundle.learned)) or 'nothing else'}."
        )


def delayed(predicted: Predicted, delay: Floats) -> Predicted:
    """The same forecasts with `delay` (c,) seconds more until each candidate's answer."""
    if LATENCY not in predicted.metrics:
        return predicted
    metrics: dict[str, Floats] = {**predicted.metrics, LATENCY: predicted.metrics[LATENCY] + delay}
    ranges = dict(predicted.ranges)
    if LATENCY in ranges:
        low, high = ranges[LATENCY]
        ranges[LATENCY] = (low + delay, high + delay)
    return replace(predicted, metrics=metrics, ranges=ranges)


def own(bundle: Bundle, predicted: Predicted, described: Described, late: Predicted | None = None) -> Weighed:
    """The bundle's own objective: what its head of values says, less what `late` forecasts take from that.

    That head learned the utility as a whole: a delay counts by the difference that it makes to the formula.
    """
    found = Weighed(predicted.value, predicted.low, predicted.high)
    objective = bundle.objective
    if late is None or LATENCY not in objective.needs or lacking(bundle, objective):
        return found
    mission, time = bundle.criticality_of(described)
    change = objective.utility(_measured(late.metrics, mission, time)) - objective.utility(
        _measured(predicted.metrics, mission, time)
    )
    return Weighed(*(np.asarray(part + change, np.float32) for part in found))


def other(bundle: Bundle, predicted: Predicted, described: Described, objective: Objective) -> Weighed:
    """Another objective: its formula over what is forecast of each metric. Raises `BundleError`.

    The bounds take every metric at its worst and at its best at once, so they are wide rather than narrow.
    """
    refuse_lacking(bundle, objective)
    mission, time = bundle.criticality_of(described)
    worst = {name: _bound(predicted, name, WORST[name]) for name in READ}
    best = {name: _bound(predicted, name, BEST[name]) for name in READ}
    sides = (predicted.metrics, worst, best)
    return Weighed(
        *(np.asarray(objective.utility(_measured(side, mission, time)), np.float32) for side in sides)
    )


def _measured(metrics: Mapping[str, Any], mission: Any, time: Any) -> Measured:
    return Measured(**{name: metrics.get(name) for name in READ}, mission=mission, time=time)


def _bound(predicted: Predicted, name: str, end: int) -> Floats | None:
    """One end of a metric's interval; its forecast where it has none."""
    bounds = predicted.ranges.get(name)
    return predicted.metrics.get(name) if bounds is None else bounds[end]
