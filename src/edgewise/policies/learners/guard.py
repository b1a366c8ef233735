"""Is a prompt unlike everything that was learned from?

The Mahalanobis distance (Mahalanobis 1936) of a prompt's first principal axes
and text statistics from those of the training prompts. The limit is what all
but a few training prompts keep within when each is left out of the covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats

AXES: Final = 32
FEWEST: Final = 50
WITHIN: Final = 0.997
SLACK: Final = 1.5
"""The limit is this much beyond: a false alarm costs the very prompts whose forecasts say most."""
_PENALTY: Final = 0.1
_CLIP: Final = 8.0


@dataclass(frozen=True, slots=True)
class Guard:
    """Fitted; `turn` (d + 24, k) whitens, `limit` is the greatest squared length that counts as familiar."""

    centre: Floats
    mean: Floats
    scale: Floats
    turn: Floats
    limit: Floats

    @classmethod
    @one_thread()
    def fit(cls, features: Described) -> Guard:
        """Learn what is familiar; with fewer than `FEWEST` texts everything is."""
        n, d = features.vectors.shape
        raw = features.statistics
        centre, mean = features.vectors.mean(0), raw.mean(0)
        scale = np.maximum(raw.std(0), 1e-3).astype(np.float32)
        if n < FEWEST:
            blank = np.zeros((d + raw.shape[1], 1), np.float32)
            return cls(centre, mean, scale, blank, np.array(np.inf, np.float32))
        x = (features.vectors - centre).astype(np.float64)
        values, axes = np.linalg.eigh(x.T @ x / n)
        count = min(AXES, n // 8, d)
        axes = axes[:, ::-1][:, :count] / np.sqrt(np.maximum(values[::-1][:count], 1e-6))
        turn = np.zeros((d + raw.shape[1], count + raw.shape[1]))
        turn[:d, :count] = axes
        turn[d:, count:] = np.eye(raw.shape[1])
        joined = _joined(features, centre, mean, scale) @ turn
        spread, turned = np.linalg.eigh(joined.T @ joined / n + _PENALTY * np.eye(joined.shape[1]))
        turn = turn @ (turned / np.sqrt(spread))
        length = ((joined @ turned) ** 2 / spread).sum(1)
        # Taking one row out of the covariance lengthens its own distance (Sherman and Morrison 1950).
        left_out = length / np.maximum(1.0 - length / n, 0.1)
        limit = np.array(SLACK * np.quantile(left_out, WITHIN), np.float32)
        return cls(centre, mean, scale, turn.astype(np.float32), limit)

    def far(self, features: Described) -> NDArray[np.bool_]:
        """Which texts are unlike all that was learned from, (n,)."""
        turned = _joined(features, self.centre, self.mean, self.scale).astype(np.float32) @ self.turn
        return np.asarray(np.einsum("ij,ij->i", turned, turned) > self.limit)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Five arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Guard:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def _joined(features: Described, centre: Floats, mean: Floats, scale: Floats) -> Doubles | Floats:
    spread = np.clip((features.statistics - mean) / scale, -_CLIP, _CLIP)
    return np.hstack((features.vectors - centre, spread))
