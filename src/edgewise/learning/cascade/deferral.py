"""How likely the edge is wrong, by its own doubt and by what the text is like: the weights are learned.

A logistic regression on held-out answers. Rows of one text weigh as one text and stay on one side of every
fold. How strongly the weights are held back, and whether more than the doubt is used at all, is chosen by the
folds: with few errors the doubt alone is better than eight weights that nothing supports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgewise.policies.cascade.placing import FACTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDS = 5
PENALTIES = (0.1, 1.0, 10.0, 100.0)  # on weights of factors of spread 1, in texts
ALONE = ("doubt",)
ROUNDS = 50
STILL = 1e-9
FLATTEST = 1e-9


class Weights(NamedTuple):
    """A logistic function of factors: by name, on their own scale."""

    intercept: float
    by_name: dict[str, float]

    def risk(self, factors: Floats) -> Floats:
        """(n,) risks of (n, len(FACTORS)) factors."""
        used = np.array([self.by_name.get(name, 0.0) for name in FACTORS])
        return _sigmoid(self.intercept + factors @ used)


def learned(factors: Floats, wrong: Floats, keys: Sequence[str], seed: int = 0) -> Weights:
    """Fit P(wrong) to (n, len(FACTORS)) factors; `keys` say which rows are the same text.

    Where all or none are wrong, the weights are those of the doubt alone, taken as it stands.
    """
    _, group, count = np.unique(np.array(keys, dtype=np.str_), return_inverse=True, return_counts=True)
    weight = 1.0 / count[group]
    if not 0.0 < wrong.mean() < 1.0:
        return Weights(0.0, {ALONE[0]: 1.0})
    fold = np.random.default_rng(seed).permutation(len(count))[group] % FOLDS
    chances = [(columns, penalty) for columns in (ALONE, FACTORS) for penalty in PENALTIES]
    columns, penalty = min(chances, key=lambda chance: _held_out(factors, wrong, weight, fold, *chance))
    return _fitted(factors, wrong, weight, columns, penalty)


def _held_out(  # noqa: PLR0913, PLR0917 - the data in four arrays, and the two choices
    factors: Floats,
    wrong: Floats,
    weight: Floats,
    fold: NDArray[np.int64],
    columns: Sequence[str],
    penalty: float,
) -> float:
    """Mean negative log-likelihood of rows that the fit has not seen."""
    total = 0.0
    for number in range(FOLDS):
        seen, new = fold != number, fold == number
        found = _fitted(factors[seen], wrong[seen], weight[seen], columns, penalty)
        risk = np.clip(found.risk(factors[new]), 1e-9, 1 - 1e-9)
        likely = np.where(wrong[new] > 0, np.log(risk), np.log1p(-risk))
        total -= float((weight[new] * likely).sum())
    return total / float(weight.sum())


def _fitted(
    factors: Floats, wrong: Floats, weight: Floats, columns: Sequence[str], penalty: float
) -> Weights:
    """Newton's method on the penalised likelihood of standardised factors; the intercept is free."""
    places = [FACTORS.index(name) for name in columns]
    chosen = factors[:, places]
    centre = np.average(chosen, axis=0, weights=weight)
    spread = np.sqrt(np.average((chosen - centre) ** 2, axis=0, weights=weight))
    spread = np.where(spread > FLATTEST, spread, np.inf)  # a factor that never varies has no weight
    design = np.column_stack([np.ones(len(chosen)), (chosen - centre) / spread])
    held = np.diag([1e-6, *[penalty] * len(places)])
    found = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        risk = _sigmoid(design @ found)
        slope = design.T @ (weight * (wrong - risk)) - held @ found
        curve = (design * (weight * np.maximum(risk * (1 - risk), 1e-9))[:, None]).T @ design + held
        step = np.linalg.solve(curve, slope)
        found += np.clip(step, -2.0, 2.0)  # so that no step leaves the region in which the curve is true
        if float(np.abs(step).max()) < STILL:
            break
    scaled = found[1:] / spread
    by_name = {name: float(value) for name, value in zip(columns, scaled.tolist(), strict=True) if value}
    return Weights(float(found[0] - scaled @ centre), by_name)


def _sigmoid(value: Floats) -> Floats:
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * value))
    return found
