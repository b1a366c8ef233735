"""`[objective]` → the policies that it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.steer.tracker import tracker_for
from edgewise.policies.steering import Target, rewrapped, steerable
from edgewise.settings.objective import configured_objective

if TYPE_CHECKING:
    from edgewise.domain.protocols import Policy
    from edgewise.settings import ObjectiveSettings


def as_configured(policy: Policy, settings: ObjectiveSettings) -> Policy:
    """The policy, the trained ones inside it with the configured objective, and each at its first threshold.

    Raises `BundleError` where a bundle forecasts too little for the objective.
    """
    objective = configured_objective(settings)
    target = Target(settings.cloud_share, settings.usd_per_1k)

    def change(inner: Policy, _: tuple[str, ...]) -> Policy:
        if not steerable(inner):
            return inner
        mine = inner.configured(objective, None if target.goal is None else target)
        tracker = tracker_for(mine)
        return mine if tracker is None else mine.steered(tracker.steer)

    return rewrapped(policy, change)
