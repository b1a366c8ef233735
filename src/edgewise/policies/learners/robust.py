"""Doubly robust outcomes: logged choices → an estimate of what every candidate would have earned.

A direct model, fitted on other prompts, says what each candidate earns; where one was asked, the residual
over the choice's propensity corrects it. The estimate is right on average if either the propensities or the
direct model are. Source: Dudík, Langford and Li 2011, "Doubly robust policy evaluation and learning".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edgewise.policies.learners.protocol import folds, parts
from edgewise.policies.learners.ridge import RidgeLearner

if TYPE_CHECKING:
    from edgewise.policies.learners.protocol import Doubles, Learner, Training

FOLDS: Final = 5
CLIP: Final = 5.0
"""A residual counts at most so many times: a rare choice would else be all that is heard (clipped DR)."""


def doubly_robust(
    data: Training, counts: Doubles, *, direct: Learner | None = None, clip: float = CLIP
) -> Training:
    """The same prompts with an outcome for every candidate that was ever asked.

    `data.weights` (n, c) holds `counts` over propensity where a candidate was asked; `counts` (n, c) says how
    often it was. The direct model (ridge, unless another is given) never sees the prompt
    that it speaks of. The new weights say how often a prompt was logged.
    """
    learner = RidgeLearner() if direct is None else direct
    asked = ~np.isnan(data.targets) & (counts > 0)
    total = np.where(asked, counts, 0.0).sum(1, keepdims=True)
    fold = folds(data.clusters, min(FOLDS, len(np.unique(data.clusters))), data.seed)
    plain = replace(data, weights=np.where(asked, counts, 0.0))
    said = np.full(data.targets.shape, np.nan)
    for out, rest in parts(fold):
        said[out] = learner.fit(plain.take(rest)).predict(data.features.take(out))
    weight = np.minimum(data.weights, clip * counts) / np.maximum(total, 1.0)
    residual = np.where(asked, weight * (np.nan_to_num(data.targets) - said), 0.0)
    outcome = np.where(asked.any(0), said + residual, np.nan)
    return replace(data, targets=outcome, weights=np.broadcast_to(total, outcome.shape).copy())
