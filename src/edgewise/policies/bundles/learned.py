"""A bundle as a policy: forecasts for each candidate on the shortlist, the highest utility wins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgewise.domain.decisions import Estimate, Forecast, Odds
from edgewise.domain.errors import BundleError, RequestError
from edgewise.policies.bundles.weighing import Weighed, delayed, other, own, refuse_lacking
from edgewise.policies.delays import delays
from edgewise.policies.learners.answers import Answered, beside
from edgewise.policies.objectives import Objective, objective_of
from edgewise.policies.steering import Start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Situation
    from edgewise.features.static.vectors import Described
    from edgewise.policies.bundles.bundle import Bundle, Predicted
    from edgewise.policies.steering import Steer, Target

    Floats = NDArray[np.float32]

SHOWN = ("quality", "latency_s", "cost_usd", "energy_j")


@dataclass(frozen=True, slots=True)
class Learned:
    """Follow a bundle. A candidate that it has never seen is chosen only where nobody else is left.

    `objective` and `target` stand in for the bundle's own, `steer` for its threshold between edge and cloud.
    A request with an objective of its own is not steered: thresholds are in the policy's unit.
    """

    bundle: Bundle
    objective: Objective | None = None
    target: Target | None = None
    steer: Steer | None = None

    @property
    def name(self) -> str:
        """`bundle:` and the version, a short hash of what it was trained on; another objective behind it."""
        name = f"bundle:{self.bundle.manifest.version}"
        if self.objective is None:
            return name
        return f"{name}/{self.objective.spelling}"

    @property
    def features(self) -> str:
        """The version of the vectors that it was trained on."""
        return self.bundle.manifest.features

    @property
    def start(self) -> Start | None:
        """What it is to keep to, with what the bundle knows of that; None without a target."""
        target = self.target or self.bundle.manifest.target
        if target is None:
            return None
        manifest = self.bundle.manifest
        clouds = [c.usd for c in manifest.candidates if c.location == "cloud" and c.usd is not None]
        usd = sum(clouds) / len(clouds) if clouds else None
        if self.objective is not None:  # the gains of training are in another unit
            return Start(target, usd=usd)
        sides = {c.location: float(self.bundle.offsets[n]) for n, c in enumerate(manifest.candidates)}
        bonus = sides.get("cloud", 0.0) - sides.get("edge", 0.0)
        return Start(target, tuple(self.bundle.gains.tolist()), usd, bonus)

    def configured(self, objective: str | None, target: Target | None) -> Learned:
        """The same policy with another objective, spelled as requests do, and another target.

        Raises `BundleError` where the objective needs forecasts that the bundle does not make.
        """
        found = None if objective is None else objective_of(objective, self.bundle.objective)
        if found is not None and found.spelling == self.bundle.objective.spelling:
            found = None
        if found is not None:
            refuse_lacking(self.bundle, found)
        return replace(self, objective=found, target=target)

    def steered(self, steer: Steer | None) -> Learned:
        """The same policy with another threshold."""
        return replace(self, steer=steer)

    def odds(self, situation: Situation) -> Odds:
        """All the weight on the highest utility; forecasts of every known candidate of the shortlist.

        Raises `BundleError` where the features are not those that it was trained on, and `RequestError` where
        the request's objective needs forecasts that it does not make.
        """
        return self._odds(situation, None)

    def forecast(self, situation: Situation, answer: FirstAnswer) -> Odds:
        """The same once the answer of a candidate is known, where the bundle has learned to read that one's.

        Whoever is asked now answers later by the time that this answer took. Raises as `odds` does.
        """
        return self._odds(situation, answer)

    def _odds(self, situation: Situation, answer: FirstAnswer | None) -> Odds:
        features, shortlist = situation.features, situation.shortlist
        if features.vector is None or features.vector_version != self.bundle.manifest.features:
            raise BundleError(
                f"The bundle was trained on features '{self.bundle.manifest.features}', "
                f"the request has '{features.vector_version or 'none'}'."
            )
        place = {name: column for column, name in enumerate(self.bundle.candidates)}
        known = [c for c in shortlist.candidates if c.id in place]
        if not known:
            return Odds.certain(shortlist.candidates[0], shortlist, reason="only_candidate")
        read = self._read(situation, answer)
        predicted = self.bundle.forecast(features.vector, read)
        steer = self.steer if situation.objective is None else None
        late = self._late(situation, predicted, answer)
        predicted, found = self._weighed(situation, predicted, late, steered=steer is not None)
        value = {c.id: float(found.value[0, place[c.id]]) for c in known}
        evidence = {"far_from_training": 1.0} if predicted.far[0] else {}
        if read:
            evidence["answer_read"] = 1.0
        if steer is not None:
            gain = _gain(known, value, shortlist.penalties)
            if gain is not None:
                evidence |= steer.evidence(gain)
            value = {c.id: value[c.id] + (steer.bonus if c.location == "cloud" else 0.0) for c in known}
        best = max(known, key=lambda c: value[c.id] - shortlist.penalties.get(c.id, 0.0))
        by_id = {c.id: 1.0 if c is best else 0.0 for c in shortlist.candidates}
        forecasts = {c.id: forecast(predicted, place[c.id], found=found, utility=value[c.id]) for c in known}
        return Odds(by_id, "best_utility", forecasts, evidence)

    def _read(
        self, situation: Situation, answer: FirstAnswer | None
    ) -> dict[str, tuple[NDArray[np.intp], Answered]]:
        """The answer as its head reads it; nothing where there is no such head, or nothing to read."""
        if answer is None or answer.vector is None or answer.candidate not in self.bundle.answers:
            return {}
        pair = beside([answer.prompt], [answer.text])
        seen = Answered(situation.features.vector, answer.vector, pair)
        return {answer.candidate: (np.zeros(1, np.intp), seen)}

    def _weighed(
        self, situation: Situation, predicted: Predicted, late: Predicted | None, *, steered: bool
    ) -> tuple[Predicted, Weighed]:
        """The forecasts with today's delays, and the utilities that they make.

        What is steered leaves the bundle's own offsets out: the threshold says it all.
        """
        described: Described = situation.features.vector
        now = predicted if late is None else late
        try:
            objective = self._objective(situation.objective)
            if objective is not None:
                return now, other(self.bundle, now, described, objective)
        except BundleError as error:
            if situation.objective is None:
                raise
            raise RequestError(str(error), param="edgewise.objective") from None
        found = own(self.bundle, predicted, described, late)
        if steered:
            shift = self.bundle.offsets + self.bundle.margin
            found = Weighed(*(np.asarray(part - shift, np.float32) for part in found))
        return now, found

    def _objective(self, asked: str | None) -> Objective | None:
        """What to judge by, or None for what the bundle's head of values has learned."""
        if asked is None and self.objective is None:
            return None
        learned = self.bundle.objective
        objective = self.objective or learned
        if asked is not None:
            objective = objective_of(asked, objective)
        return None if objective.spelling == learned.spelling else objective

    def _late(
        self, situation: Situation, predicted: Predicted, answer: FirstAnswer | None
    ) -> Predicted | None:
        """The forecasts with what signals and a first answer add to latency; None where that is nothing."""
        added = delays(situation.signals.values()) if situation.signals else {}
        if answer is None and not added:
            return None
        waits = [added.get(name, 0.0) for name in self.bundle.candidates]
        if answer is not None:  # that one has answered: it keeps nobody waiting, and all others do
            waits = [
                0.0 if name == answer.candidate else wait + answer.took_s
                for name, wait in zip(self.bundle.candidates, waits, strict=True)
            ]
        return delayed(predicted, np.array(waits, np.float32)) if any(waits) else None


def _gain(
    known: Sequence[Candidate], value: Mapping[str, float], penalties: Mapping[str, float]
) -> float | None:
    """How much more the best cloud promises than the best edge; None where one of them is missing."""
    sides: dict[str, float] = {}
    for candidate in known:
        worth = value[candidate.id] - penalties.get(candidate.id, 0.0)
        sides[candidate.location] = max(worth, sides.get(candidate.location, worth))
    return sides["cloud"] - sides["edge"] if len(sides) == len(("edge", "cloud")) else None


def forecast(
    predicted: Predicted,
    column: int,
    row: int = 0,
    *,
    found: Weighed | None = None,
    utility: float | None = None,
) -> Forecast:
    """One candidate's forecasts of one prompt, with their intervals.

    `found` are utilities in place of those predicted; `utility` is what became of one of them.
    """
    estimates: dict[str, Estimate] = {}
    for name in SHOWN:
        if name in predicted.metrics:
            mean = float(predicted.metrics[name][row, column])
            bounds = predicted.ranges.get(name)
            low, high = (mean, mean) if bounds is None else (float(b[row, column]) for b in bounds)
            estimates[name] = Estimate(mean, low, high)
    sides = (predicted.value, predicted.low, predicted.high) if found is None else found
    said, low, high = (float(side[row, column]) for side in sides)
    shift = 0.0 if utility is None else utility - said
    return Forecast(utility=Estimate(said + shift, low + shift, high + shift), **estimates)
