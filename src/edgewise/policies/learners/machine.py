"""The kernel machine: quality by an additive kernel ridge, and by task.

Two members share one pass over the landmarks. *Direct* is a ridge on the
Nyström features. *By task* first guesses which task (`group` of the outcome
table) the prompt belongs to, then averages what each task's prompts had
earned, shrunk to the overall mean; it exists only where the table has tasks,
and gives way to the direct forecast where the prompt looks like none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners import ridge
from edgewise.policies.learners.kernels import Landmarks
from edgewise.policies.learners.protocol import means, parts
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training


SHARPNESS: Final = 30.0
UNSURE: Final = 0.05
SURE: Final = 0.25
"""Where the likeliest task scores less than the second, some or all is left to the direct forecast."""
PRIOR_ROWS: Final = 20.0
FEWEST_ROWS: Final = 8
FEWEST_TASKS: Final = 2
MOST_TASKS: Final = 200
_LANDMARK_FIELDS: Final = Landmarks.__slots__


@dataclass(frozen=True, slots=True)
class KernelMachine:
    """Fitted; `slopes` (2 m, c + g) act on raw kernel values, `earned` is (g, c)."""

    landmarks: Landmarks
    slopes: Floats
    intercepts: Floats
    earned: Floats

    def predict(self, features: Described) -> Floats:
        """Mean of the members, (n, c)."""
        return np.asarray(self.members(features).mean(1), np.float32)

    def members(self, features: Described) -> Floats:
        """Expected targets by each member, (n, 1 or 2, c)."""
        scores = self.landmarks.kernel(features) @ self.slopes + self.intercepts
        return _members(scores, self.earned).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The landmarks' arrays and three more."""
        own = {"slopes": self.slopes, "intercepts": self.intercepts, "earned": self.earned}
        return {**self.landmarks.arrays(), **own}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> KernelMachine:
        """The inverse of `arrays`."""
        landmarks = Landmarks.from_arrays({name: arrays[name] for name in _LANDMARK_FIELDS})
        return cls(landmarks, arrays["slopes"], arrays["intercepts"], arrays["earned"])


@dataclass(frozen=True, slots=True)
class KernelLearner:
    """Learner of `KernelMachine`."""

    landmarks: int = 512

    def fit(self, data: Training) -> KernelMachine:
        """Learn from `data`."""
        return self.cross_fit(data, None)[0]

    @one_thread()
    def cross_fit(self, data: Training, fold: NDArray[np.int64] | None) -> tuple[KernelMachine, Doubles]:
        """The machine, and its members' forecasts on rows held out by `fold`.

        Landmarks (which see no target) and penalties are shared by the folds.
        The penalties were chosen on all rows, so the held-out forecasts are
        slightly flattered: good for weighing members, not for publishing.
        """
        landmarks = Landmarks.pick(data.features, data.seed, self.landmarks)
        kernel = landmarks.kernel(data.features).astype(np.float64)
        left, right = landmarks.roots()
        m = len(left)
        x = np.hstack((kernel[:, :m] @ left, kernel[:, m:] @ right))
        y, weights, blocks = _outputs(data)
        lines = ridge.fit(x, y, weights, blocks)
        slopes = np.vstack((left @ lines.slopes[:m], right @ lines.slopes[m:]))
        earned = _earned(data, y)
        machine = KernelMachine(
            landmarks,
            slopes.astype(np.float32),
            lines.intercepts.astype(np.float32),
            earned.astype(np.float32),
        )
        tasks = int(len(earned) > 0)
        held = np.zeros((len(data), 1 + tasks, data.targets.shape[1]))
        for out, rest in parts(fold):
            part = ridge.refit(x[rest], y[rest], weights[rest], lines.penalties)
            held[out] = _members(part(x[out]), _earned(data.take(rest), y[rest]))
        return machine, held


def _members(scores: NDArray[Any], earned: NDArray[Any]) -> NDArray[Any]:
    c = scores.shape[1] - len(earned)
    direct = scores[:, :c]
    if len(earned) == 0:
        return direct[:, None]
    top = scores[:, c:].max(1, keepdims=True)
    guess = np.exp(SHARPNESS * (scores[:, c:] - top))
    guess /= guess.sum(1, keepdims=True)
    known = np.clip((top - UNSURE) / (SURE - UNSURE), 0.0, 1.0)
    return np.stack((direct, direct + known * (guess @ earned - direct)), 1)


def _outputs(data: Training) -> tuple[Doubles, Doubles, NDArray[np.int64]]:
    """Targets and one column a task; weights; which outputs share a penalty."""
    names, counts = np.unique(data.labels[data.labels >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_TASKS]
    names = np.sort(names[order][counts[order] >= FEWEST_ROWS])
    if len(names) < FEWEST_TASKS:
        names = names[:0]
    member = (data.labels[:, None] == names).astype(np.float64)
    y = np.hstack((data.targets, member))
    given = np.where(np.isnan(data.targets), 0.0, data.weights)
    shared = given.sum(1) / np.maximum((given > 0).sum(1), 1)
    same = not np.isnan(data.targets).any() and bool((data.weights == data.weights[:, :1]).all())
    own = data.weights[:, :1] if same else shared[:, None]
    weights = np.hstack((data.weights, np.repeat(own, len(names), 1)))
    blocks = np.repeat([0, 1], [data.targets.shape[1], len(names)]).astype(np.int64)
    return y, weights, blocks


def _earned(data: Training, y: Doubles) -> Doubles:
    """Mean target of each task under each candidate, shrunk to the overall mean: (g, c)."""
    c = data.targets.shape[1]
    member = y[:, c:]
    seen = np.where(np.isnan(data.targets), 0.0, data.weights)
    seen /= max(float(seen[seen > 0].mean()), 1e-12) if seen.any() else 1.0
    total = member.T @ (seen * np.nan_to_num(data.targets))
    prior = means(data.targets, data.weights)
    return np.asarray((total + PRIOR_ROWS * prior) / (member.T @ seen + PRIOR_ROWS), np.float64)
