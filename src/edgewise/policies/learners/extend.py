"""A new candidate from a few dozen labels, without touching what was learned of the others.

Its forecast is a blend of theirs, fitted to its labels and pulled towards the
plain average, and a level of its own. Prompts that are hard for all are hard
for it, too; how good it is on the whole takes few labels to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.positive import LEVELS, SMALLEST, PositiveRule
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Doubles, Fitted, Floats

PRIOR_ROWS: Final = 30.0
LEVEL_ROWS: Final = 2.0
ADDED: Final = "added/"
_STILL: Final = 1e-6
"""What varies less is a constant: that of a candidate that is free, or of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Extended:
    """`inner`, and one more candidate as the last column: forecasts @ `blend` + `level`, within `limits`."""

    inner: Fitted
    blend: Floats
    level: Floats
    limits: Floats

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c + 1)."""
        return self.look(features)[0]

    def look(self, features: Described) -> tuple[Floats, NDArray[np.bool_]]:
        """`predict`, and which texts are far from everything seen, as far as `inner` can tell."""
        look = getattr(self.inner, "look", None)
        if look is None:
            said, far = self.inner.predict(features), np.zeros(len(features), np.bool_)
        else:
            said, far = look(features)
        new = np.clip(said @ self.blend + self.level, self.limits[0], self.limits[1])
        return np.hstack((said, new[:, None])), far

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of `inner`, unchanged, and three more for each candidate that was added."""
        own = dict(self.inner.arrays())
        number = sum(name.startswith(ADDED) for name in own) // 3
        new = {"blend": self.blend, "level": self.level, "limits": self.limits}
        return own | {f"{ADDED}{number}/{name}": value for name, value in new.items()}


@one_thread()
def extend(inner: Fitted, features: Described, targets: Doubles, weights: Doubles) -> Extended:
    """`inner` and a new candidate that earned `targets` (n,) with `weights` (n,) on these prompts.

    Best on prompts that `inner` was not trained on: on its own it is too sure of itself. Raises
    `ValueError` where no target is known.
    """
    seen = ~np.isnan(targets) & (weights > 0)
    if not seen.any():
        raise ValueError("a new candidate needs at least one outcome; the table has none")
    said = inner.predict(features)[seen].astype(np.float64)
    y = targets[seen]
    count = int(said.shape[1])
    plain: Doubles = np.full((count,), 1.0 / count)
    blend, middle, mean = _blended(said, y, weights[seen], plain)
    # A few imagined labels say that it is worth what the others are.
    gap = (mean - float(middle @ plain)) * len(y) / (len(y) + LEVEL_ROWS)
    level = gap + float(middle @ plain) - float(middle @ blend)
    low, high = min(float(y.min()), float(said.min())), max(float(y.max()), float(said.max()))
    limits = np.array([low, high], np.float32)
    return Extended(inner, blend.astype(np.float32), np.array(level, np.float32), limits)


def _blended(said: Doubles, y: Doubles, weights: Doubles, plain: Doubles) -> tuple[Doubles, Doubles, float]:
    """How much of each forecast `said` (n, c) makes `y` (n,), pulled towards `plain` (c,); both means."""
    weight = weights / weights.mean()
    share = weight / weight.sum()
    middle: Doubles = share @ said
    mean = float(share @ y)
    off = said - middle
    count = len(plain)
    gram: Doubles = (off * weight[:, None]).T @ off
    penalty = PRIOR_ROWS * max(float(np.trace(gram)) / count / len(y), 1e-9)
    right: Doubles = off.T @ (weight * (y - mean)) + penalty * plain
    blend: Doubles = np.asarray(np.linalg.solve(gram + penalty * np.eye(count), right), np.float64)
    return blend, middle, mean


def with_added(inner: Fitted, arrays: Mapping[str, NDArray[Any]]) -> Fitted:
    """The inverse of `Extended.arrays`: `inner`, and whatever candidates the arrays add to it."""
    number = 0
    while f"{ADDED}{number}/blend" in arrays:
        blend, level, limits = (arrays[f"{ADDED}{number}/{name}"] for name in ("blend", "level", "limits"))
        inner = Extended(inner, blend, level, limits)
        number += 1
    return inner


@dataclass(frozen=True, slots=True)
class ExtendedAmounts:
    """`inner`, and the amounts (latency, tokens, cost) of one more candidate as the last column.

    The logarithm of its median is that of the others @ `blend` + `level`, within `limits` (2,); `offsets`
    (4,) lead from there to its mean, low (5 %), median and high (95 %).
    """

    inner: PositiveRule | ExtendedAmounts
    blend: Floats
    level: Floats
    offsets: Floats
    limits: Floats

    def predict(self, features: Described) -> Floats:
        """Mean, low (5 %), median and high (95 %) of each candidate, (n, 4, c + 1)."""
        said = self.inner.predict(features)
        log = np.log(np.maximum(said[:, 2], SMALLEST)) @ self.blend + self.level
        new = np.exp(np.clip(log[:, None] + self.offsets, self.limits[0], self.limits[1]))
        return np.asarray(np.concatenate((said, new[:, :, None]), 2), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of `inner`, unchanged, and four more for each candidate that was added."""
        own = dict(self.inner.arrays())
        number = sum(name.startswith(ADDED) for name in own) // 4
        new = {name: getattr(self, name) for name in ("blend", "level", "offsets", "limits")}
        return own | {f"{ADDED}{number}/{name}": value for name, value in new.items()}


@one_thread()
def extend_amounts(
    inner: PositiveRule | ExtendedAmounts, features: Described, amounts: Doubles, weights: Doubles
) -> ExtendedAmounts:
    """`inner` and a new candidate that took `amounts` (n,) on these prompts; from zero down they are unseen.

    Its level is its own: what others take says nothing about how quick or dear it is, only which prompts
    are long. Without any amount above zero (it is free) the forecast is 1 and not to be read.
    """
    seen = ~np.isnan(amounts) & (amounts > 0) & (weights > 0)
    count = inner.predict(features.take(np.zeros(1, np.intp))).shape[2]
    blend, level = np.zeros(count), 0.0
    offsets, limits = np.zeros(len(LEVELS) + 1), np.array([-14.0, 14.0])
    if seen.any():
        said = np.log(np.maximum(inner.predict(features)[seen, 2], SMALLEST)).astype(np.float64)
        y = np.log(np.maximum(amounts[seen], SMALLEST))
        varies = said.std(0) > _STILL
        if varies.any():
            plain: Doubles = np.full(int(varies.sum()), 1.0 / int(varies.sum()))
            blend[varies] = _blended(said[:, varies], y, weights[seen], plain)[0]
        share = weights[seen] / weights[seen].sum()
        level = float(share @ (y - said @ blend))
        miss = y - said @ blend - level
        quantiles = np.quantile(miss, LEVELS)
        lift = np.log(np.exp(np.clip(miss, quantiles[0], quantiles[-1])).mean())
        offsets = np.array([lift, *quantiles])
        limits = np.array([y.min() - np.log(2), y.max() + np.log(2)])
    found = (np.asarray(part, np.float32) for part in (blend, level, offsets, limits))
    return ExtendedAmounts(inner, *found)


def amounts_from(arrays: Mapping[str, NDArray[Any]]) -> PositiveRule | ExtendedAmounts:
    """The inverse of `PositiveRule.arrays` and of `ExtendedAmounts.arrays`."""
    rule: PositiveRule | ExtendedAmounts = PositiveRule.from_arrays(arrays)
    number = 0
    while f"{ADDED}{number}/offsets" in arrays:
        own = (arrays[f"{ADDED}{number}/{name}"] for name in ("blend", "level", "offsets", "limits"))
        rule = ExtendedAmounts(rule, *own)
        number += 1
    return rule
