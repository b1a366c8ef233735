"""A bundle as a policy: forecasts for each candidate on the shortlist, the highest utility wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Estimate, Forecast, Odds
from edgewise.domain.errors import BundleError
from edgewise.policies.objectives import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgewise.domain.requests import Situation
    from edgewise.policies.bundles.bundle import Bundle, Predicted

    Floats = NDArray[np.float32]

SHOWN = ("quality", "latency_s", "cost_usd")


@dataclass(frozen=True, slots=True)
class Learned:
    """Follow a bundle. A candidate that it has never seen is chosen only where nobody else is left."""

    bundle: Bundle

    @property
    def name(self) -> str:
        """`bundle:` and the version, a short hash of what it was trained on."""
        return f"bundle:{self.bundle.manifest.version}"

    @property
    def features(self) -> str:
        """The version of the vectors that it was trained on."""
        return self.bundle.manifest.features

    def odds(self, situation: Situation) -> Odds:
        """All the weight on the highest utility; forecasts of every known candidate of the shortlist.

        Raises `BundleError` where the features are not those that it was trained on.
        """
        features, shortlist = situation.features, situation.shortlist
        if features.vector is None or features.vector_version != self.bundle.manifest.features:
            raise BundleError(
                f"The bundle was trained on features '{self.bundle.manifest.features}', "
                f"the request has '{features.vector_version or 'none'}'."
            )
        predicted = self.bundle.forecast(features.vector)
        value = self._value(situation, predicted)
        place = {name: column for column, name in enumerate(self.bundle.candidates)}
        known = [c for c in shortlist.candidates if c.id in place]
        if not known:
            return Odds.certain(shortlist.candidates[0], shortlist, reason="only_candidate")
        penalties = shortlist.penalties
        best = max(known, key=lambda c: value[place[c.id]] - penalties.get(c.id, 0.0))
        by_id = {c.id: 1.0 if c is best else 0.0 for c in shortlist.candidates}
        forecasts = {c.id: forecast(predicted, place[c.id], value) for c in known}
        evidence = {"far_from_training": 1.0} if predicted.far[0] else {}
        return Odds(by_id, "best_utility", forecasts, evidence)

    def _value(self, situation: Situation, predicted: Predicted) -> Floats:
        asked = situation.objective
        if asked is None or asked == self.bundle.objective.name:
            row: Floats = predicted.value[0]
            return row
        described = situation.features.vector
        revalued: Floats = self.bundle.revalued(predicted, _objective(asked), described)[0]
        return revalued


@lru_cache(maxsize=64)
def _objective(name: str) -> Objective:
    return Objective(name)


def forecast(
    predicted: Predicted,
    column: int,
    value: Floats | None = None,
    row: int = 0,
) -> Forecast:
    """One candidate's forecasts of one prompt, with their intervals."""
    found: dict[str, Estimate] = {}
    for name in SHOWN:
        if name in predicted.metrics:
            mean = float(predicted.metrics[name][row, column])
            bounds = predicted.ranges.get(name)
            low, high = (mean, mean) if bounds is None else (float(b[row, column]) for b in bounds)
            found[name] = Estimate(mean, low, high)
    said = float(predicted.value[row, column])
    utility = said if value is None else float(value[column])
    low, high = (float(bound[row, column]) + utility - said for bound in (predicted.low, predicted.high))
    return Forecast(utility=Estimate(utility, low, high), **found)
