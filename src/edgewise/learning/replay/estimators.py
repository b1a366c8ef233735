"""Inverse propensity, self-normalised and doubly robust estimates of what a policy would have earned.

Sources: Horvitz and Thompson, "A Generalization of Sampling Without Replacement From a Finite Universe",
1952; Swaminathan and Joachims, "The Self-Normalized Estimator for Counterfactual Learning", 2015; Dudík,
Langford and Li, "Doubly Robust Policy Evaluation and Learning", 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.domain.decisions import Estimate
from edgewise.learning.replay.resampling import Resampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Logged:
    """n logged choices among m candidates, and what another policy wanted of each.

    `chosen` (n,) column numbers; `odds` (n, m) as logged, 0 off the shortlist; `propensity` (n,) of the
    choice; `wanted` (n, m) the other policy's odds, 0 off the logged shortlist; `keys` what is resampled as
    one: the prompt's hash. `share` (n,) is how much of the traffic a row stands for, relative to the
    others: where only some answers were rated, a failure, which needs no rating, would otherwise count too
    much.
    """

    chosen: NDArray[np.intp]
    odds: Floats
    propensity: Floats
    wanted: Floats
    keys: Sequence[str]
    share: Floats

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def weights(self) -> Floats:
        """(n,) how much more often the other policy would have made this choice than it was made."""
        return self.of_chosen(self.wanted) / self.propensity

    def of_chosen(self, matrix: Floats) -> Floats:
        """(n,) the value of (n, m) in the column that was chosen."""
        return matrix[np.arange(len(self)), self.chosen]


class Estimates(Struct, frozen=True):
    """One measure under the log's own policy and under another, each with its 95 % interval.

    `difference` is the doubly robust estimate less the log's own mean, over the same draws.
    """

    logged: Estimate
    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate
    difference: Estimate
    rows: int


def estimate(log: Logged, measured: Floats, forecast: Floats | None = None, *, seed: int = 0) -> Estimates:
    """What `measured` (n,), NaN where unknown, averages under the log's policy and under the other.

    `forecast` (n, m) is what the doubly robust estimate believes of every candidate; it corrects it by what
    was measured, so that a wrong one costs precision, not truth. Without one it is the inverse-propensity
    estimate.
    """
    known = ~np.isnan(measured)
    if not known.all():
        log, measured = _only(log, known), measured[known]
        forecast = None if forecast is None else forecast[known]
    believed = np.zeros_like(log.wanted) if forecast is None else np.nan_to_num(forecast)
    weights, share = log.weights, log.share
    resampled = Resampled(log.keys, seed=seed)
    robust = (log.wanted * believed).sum(axis=1) + weights * (measured - log.of_chosen(believed))
    return Estimates(
        logged=resampled.ratio(share * measured, share),
        ips=resampled.ratio(share * weights * measured, share),
        snips=resampled.ratio(share * weights * measured, share * weights),
        doubly_robust=resampled.ratio(share * robust, share),
        difference=resampled.ratio(share * (robust - measured), share),
        rows=len(log),
    )


def effective_size(weights: Floats) -> float:
    """How many rows of the policy's own the weighted ones are worth (Kish 1965): (Σw)² / Σw²."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def coverage(log: Logged) -> float:
    """The share of what the policy wants that the log could have chosen: 1 where every wish had a chance."""
    if not len(log):
        return 0.0
    return float((log.wanted * (log.odds > 0.0)).sum() / len(log))


def _only(log: Logged, rows: NDArray[np.bool_]) -> Logged:
    return Logged(
        chosen=log.chosen[rows],
        odds=log.odds[rows],
        propensity=log.propensity[rows],
        wanted=log.wanted[rows],
        keys=[key for key, kept in zip(log.keys, rows, strict=True) if kept],
        share=log.share[rows],
    )
