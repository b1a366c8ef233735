"""A share or budget target becomes a threshold: how much better the cloud must be forecast to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.errors import TableError
from edgewise.policies.steering import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable

    Doubles = NDArray[np.float64]

__all__ = ["Target", "check_target", "gains_of", "offsets_for"]

STEPS = 200
SKETCH = 101  # quantiles that a bundle keeps of the gains: what a threshold begins with when it serves


def check_target(target: Target, table: OutcomeTable) -> None:
    """Raise `TableError` for a target that this table cannot be held to, before the work begins."""
    if target.cloud_share is None and target.usd_per_1k is None:
        return
    if target.cloud_share is not None and target.usd_per_1k is not None:
        raise TableError("Give --cloud-share or --usd-per-1k, not both: a threshold keeps to one of them.")
    cloud = _cloud(table)
    if cloud.all() or not cloud.any():
        raise TableError("A share or budget target needs an edge and a cloud; name the edge with --edge ID.")
    if target.usd_per_1k is not None and table.costs() is None:
        raise TableError("A budget target needs costs: `cost_usd`, or `usd_per_mtok`.")


def offsets_for(target: Target, table: OutcomeTable, held: Doubles) -> tuple[NDArray[np.float32], list[str]]:
    """(c,) what is added to each utility, fitted on held-out forecasts; and what that means in words."""
    none = np.zeros(len(table.candidates), np.float32)
    if target.cloud_share is None and target.usd_per_1k is None:
        return none, []
    check_target(target, table)
    cloud = _cloud(table)
    usable = ~np.isnan(held).any(axis=1)
    value = held[usable]
    gain = _gains(value, cloud)
    candidates = np.quantile(-gain, np.linspace(0, 1, STEPS + 1))
    if target.cloud_share is not None:
        bonus = float(np.quantile(-gain, min(max(target.cloud_share, 0.0), 1.0)))
        said = f"About {target.cloud_share:.0%} of prompts like these go to the cloud."
    else:
        costs = np.nan_to_num(np.asarray(table.costs())[usable])
        bonus, spent = _affordable(candidates, value, costs, cloud, target.usd_per_1k or 0.0)
        said = f"Prompts like these cost about ${spent:.4f} per 1,000."
    return np.where(cloud, bonus, 0.0).astype(np.float32), [said]


def gains_of(table: OutcomeTable, held: Doubles) -> NDArray[np.float32]:
    """Quantiles (101,) of how much more the cloud was forecast to be worth than the edge, held out.

    Empty where there is no edge, no cloud, or no such prompt.
    """
    cloud = _cloud(table)
    value = held[~np.isnan(held).any(axis=1)]
    if cloud.all() or not cloud.any() or not len(value):
        return np.zeros(0, np.float32)
    return np.quantile(_gains(value, cloud), np.linspace(0, 1, SKETCH)).astype(np.float32)


def _cloud(table: OutcomeTable) -> NDArray[np.bool_]:
    return np.array([table.locations.get(c) != "edge" for c in table.candidates])


def _gains(value: Doubles, cloud: NDArray[np.bool_]) -> Doubles:
    found: Doubles = value[:, cloud].max(axis=1) - value[:, ~cloud].max(axis=1)
    return found


def _affordable(
    bonuses: Doubles, value: Doubles, costs: Doubles, cloud: NDArray[np.bool_], usd_per_1k: float
) -> tuple[float, float]:
    """The largest bonus for the cloud whose mean cost stays in the budget."""
    best, spent = float(bonuses.min()) - 1.0, 0.0
    for bonus in np.sort(bonuses):
        chosen = (value + np.where(cloud, bonus, 0.0)).argmax(axis=1)
        cost = 1000.0 * float(costs[np.arange(len(costs)), chosen].mean())
        if cost <= usd_per_1k:
            best, spent = float(bonus), cost
    return best, spent
