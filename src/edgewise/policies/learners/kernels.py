"""Nyström features of two Gaussian kernels, one on vectors, one on statistics.

Williams and Seeger 2000, "Using the Nyström method to speed up kernel
machines". A ridge on both blocks is an additive Gaussian process at a cost
that does not grow with the number of labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Floats


LANDMARKS: Final = 512
VECTOR_WIDTH: Final = 2.0
STATISTIC_WIDTH: Final = 0.5
_CLIP: Final = 4.0
_FLOOR: Final = 1e-5
_FEW: Final = 4


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Standardised landmark prompts; `kernel` gives their similarity to any prompt."""

    centre: Floats
    mean: Floats
    scale: Floats
    vectors: Floats
    statistics: Floats
    squares: Floats

    @classmethod
    def pick(cls, features: Described, seed: int, count: int = LANDMARKS) -> Landmarks:
        """Landmarks drawn evenly from `features` (no target is looked at)."""
        rows = np.random.default_rng(seed).permutation(len(features))[:count]
        rows.sort()
        raw = features.statistics
        scale = np.maximum(raw.std(0), 1e-3).astype(np.float32)
        empty = np.zeros((0, raw.shape[1]), np.float32)
        blank = cls(features.vectors.mean(0), raw.mean(0), scale, features.vectors[:0], empty, empty[:, 0])
        x, z = blank.standardise(features.take(rows))
        return cls(blank.centre, blank.mean, blank.scale, x, z, np.einsum("ij,ij->i", z, z))

    def standardise(self, features: Described) -> tuple[Floats, Floats]:
        """Centred vectors of length one, and statistics in clipped standard deviations."""
        x = features.vectors - self.centre
        x /= np.maximum(np.sqrt(np.einsum("ij,ij->i", x, x)), 1e-9)[:, None]
        z = np.clip((features.statistics - self.mean) / self.scale, -_CLIP, _CLIP)
        return x, z / np.float32(z.shape[1] ** 0.5)

    def kernel(self, features: Described) -> Floats:
        """Similarity of each text to each landmark, (n, 2 m): by vector, then by statistics."""
        x, z = self.standardise(features)
        m = len(self.vectors)
        out = np.empty((len(x), 2 * m), np.float32)
        for row in range(len(x)) if len(x) <= _FEW else ():
            # One text at a time a matrix times a vector is much quicker than a product of matrices.
            np.dot(self.vectors, x[row], out=out[row, :m])
            np.dot(self.statistics, z[row], out=out[row, m:])
        if len(x) > _FEW:
            np.matmul(x, self.vectors.T, out=out[:, :m])
            np.matmul(z, self.statistics.T, out=out[:, m:])
        near, alike = out[:, :m], out[:, m:]
        near -= 1.0
        near *= 2.0 * VECTOR_WIDTH
        alike *= 2.0
        alike -= self.squares
        alike -= np.einsum("ij,ij->i", z, z)[:, None]
        alike *= STATISTIC_WIDTH
        return np.exp(out, out=out)

    def roots(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What turns each half of `kernel` into features whose product is the kernel."""
        x = self.vectors.astype(np.float64)
        z = self.statistics.astype(np.float64)
        squares = (z * z).sum(1)
        apart = squares[:, None] + squares - 2.0 * z @ z.T
        return (
            _root(np.exp(VECTOR_WIDTH * 2.0 * (x @ x.T - 1.0))),
            _root(np.exp(-STATISTIC_WIDTH * np.maximum(apart, 0.0))),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Six arrays, by field."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Landmarks:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def _root(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(kernel)
    return np.asarray(axes / np.sqrt(np.maximum(values, _FLOOR)), np.float64)
