"""A share or budget target becomes a threshold: how much better the cloud must be forecast to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.learning.tables import OutcomeTable

    Doubles = NDArray[np.float64]

STEPS = 200


class Target(Struct, frozen=True):
    """`cloud_share`: what may go to the cloud (0-1); `usd_per_1k`: USD per 1,000 prompts."""

    cloud_share: float | None = None
    usd_per_1k: float | None = None


def offsets_for(target: Target, table: OutcomeTable, held: Doubles) -> tuple[NDArray[np.float32], list[str]]:
    """(c,) what is added to each utility, fitted on held-out forecasts; and what that means in words."""
    none = np.zeros(len(table.candidates), np.float32)
    if target.cloud_share is None and target.usd_per_1k is None:
        return none, []
    cloud = np.array([table.locations.get(c) != "edge" for c in table.candidates])
    if cloud.all() or not cloud.any():
        raise TableError("A share or budget target needs an edge and a cloud; name the edge with --edge ID.")
    usable = ~np.isnan(held).any(axis=1)
    value = held[usable]
    gain = value[:, cloud].max(axis=1) - value[:, ~cloud].max(axis=1)
    candidates = np.quantile(-gain, np.linspace(0, 1, STEPS + 1))
    if target.cloud_share is not None:
        bonus = float(np.quantile(-gain, min(max(target.cloud_share, 0.0), 1.0)))
        said = f"About {target.cloud_share:.0%} of prompts like these go to the cloud."
    else:
        costs = table.costs()
        if costs is None:
            raise TableError("A budget target needs costs: `cost_usd`, or `usd_per_mtok`.")
        bonus, spent = _affordable(
            candidates, value, np.nan_to_num(costs[usable]), cloud, target.usd_per_1k or 0.0
        )
        said = f"Prompts like these cost about ${spent:.4f} per 1,000."
    return np.where(cloud, bonus, 0.0).astype(np.float32), [said]


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
