"""A new candidate from a few dozen labels, without touching what was learned of the others.

Its forecast is a blend of theirs, fitted to its labels and pulled towards the
plain average, and a level of its own. Prompts that are hard for all are hard
for it, too; how good it is on the whole takes few labels to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Doubles, Fitted, Floats

PRIOR_ROWS: Final = 30.0
LEVEL_ROWS: Final = 2.0
ADDED: Final = "added/"


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
    y, weight = targets[seen], weights[seen] / weights[seen].mean()
    share = weight / weight.sum()
    middle: Doubles = share @ said
    mean = float(share @ y)
    off = said - middle
    count = int(said.shape[1])
    plain: Doubles = np.full((count,), 1.0 / count)
    gram: Doubles = (off * weight[:, None]).T @ off
    penalty = PRIOR_ROWS * max(float(np.trace(gram)) / count / len(y), 1e-9)
    right: Doubles = off.T @ (weight * (y - mean)) + penalty * plain
    blend = np.linalg.solve(gram + penalty * np.eye(count), right)
    # A few imagined labels say that it is worth what the others are.
    gap = (mean - float(middle @ plain)) * len(y) / (len(y) + LEVEL_ROWS)
    level = gap + float(middle @ plain) - float(middle @ blend)
    low, high = min(float(y.min()), float(said.min())), max(float(y.max()), float(said.max()))
    limits = np.array([low, high], np.float32)
    return Extended(inner, blend.astype(np.float32), np.array(level, np.float32), limits)


def with_added(inner: Fitted, arrays: Mapping[str, NDArray[Any]]) -> Fitted:
    """The inverse of `Extended.arrays`: `inner`, and whatever candidates the arrays add to it."""
    number = 0
    while f"{ADDED}{number}/blend" in arrays:
        blend, level, limits = (arrays[f"{ADDED}{number}/{name}"] for name in ("blend", "level", "limits"))
        inner = Extended(inner, blend, level, limits)
        number += 1
    return inner
