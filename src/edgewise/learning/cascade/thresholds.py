"""Which risk may still stay on the edge, so that a bound on the accuracy lost holds with confidence.

Source: Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then test: calibrating predictive algorithms to
achieve risk control", 2021 (fixed sequence testing). The thresholds to be tested, and their order, are fixed
before the calibration texts are seen: from the strictest on, each is proven at the full confidence, and the
first that cannot be proven ends it. The last one proven then keeps the bound with that confidence: to choose
a false one, the first false one in the order must have passed its test. Nothing is assumed of the scores,
and the loss need not grow with the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewise.learning.cascade.bounds import loss_bound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

STEPS = 100  # thresholds that are tested


@dataclass(frozen=True, slots=True)
class Answers:
    """What edge and cloud said of n texts: whether each was right, and how risky the edge's answer looked.

    All are (n,). A `risk` of infinity never stays.
    """

    risk: Floats
    edge: Flags
    cloud: Flags

    def rows(self, chosen: NDArray[np.int64]) -> Answers:
        """These rows alone."""
        return Answers(self.risk[chosen], self.edge[chosen], self.cloud[chosen])

    def outcome(self, threshold: float) -> Outcome:
        """What comes of letting every risk up to a threshold stay."""
        stays = self.risk <= threshold
        lost = int((stays & self.cloud & ~self.edge).sum())
        won = int((stays & self.edge & ~self.cloud).sum())
        return Outcome(threshold, len(stays), int(stays.sum()), lost, won)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of `texts`, how many stay on the edge, and on how many of these only the cloud or the edge is right."""

    threshold: float
    texts: int
    stays: int
    lost: int
    won: int

    @property
    def kept(self) -> float:
        """The share that stays."""
        return self.stays / self.texts if self.texts else 0.0

    @property
    def loss(self) -> float:
        """Accuracy lost against the cloud, over all texts; below 0 where the edge does better."""
        return (self.lost - self.won) / self.texts if self.texts else 0.0

    def bound(self, confidence: float) -> float:
        """What the loss is at most, with this confidence."""
        return loss_bound(self.lost, self.won, self.texts, confidence)


def ladder(risk: Floats, steps: int = STEPS) -> Floats:
    """Thresholds to test, strictest first, from risks of texts that are no calibration texts."""
    finite = risk[np.isfinite(risk)]
    return np.unique(np.append(np.quantile(finite, np.arange(1, steps + 1) / steps), 1.0))


def proven(answers: Answers, rungs: Floats, max_loss: float, confidence: float) -> Outcome | None:
    """The most lenient threshold for which the bound is proven; None where it cannot be for the strictest."""
    best = None
    for rung in rungs.tolist():
        found = answers.outcome(rung)
        if found.bound(confidence) > max_loss:
            break
        if found.stays:  # a promise about nothing would say nothing
            best = found
    return best


def most_kept(answers: Answers, max_loss: float) -> Outcome:
    """The threshold at which most stays while the loss on these very texts is within the bound.

    This is what was, not what will be: nothing is proven by it.
    """
    order = np.argsort(answers.risk, kind="stable")
    risk = answers.risk[order]
    change = answers.cloud[order].astype(np.int64) - answers.edge[order]
    last = np.append(np.flatnonzero(risk[1:] != risk[:-1]), len(risk) - 1)  # equal risks stay together
    fits = (np.cumsum(change)[last] <= max_loss * len(risk)) & np.isfinite(risk[last])
    return answers.outcome(float(risk[last][fits][-1]) if fits.any() else -np.inf)
