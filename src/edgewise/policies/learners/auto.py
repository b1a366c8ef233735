"""The default learner: several members, weighed on prompts that they had not seen.

Members: the kernel machine (directly, and by task), hashed TF-IDF ridge,
neighbours, boosted trees. Their forecasts on five folds by prompt are stacked:
non-negative weights, at most one in all, fitted to the *differences* between
candidates (they alone decide who is chosen) and, apart, to the mean of the
candidates; with few labels both lean on a prior. A member with hardly any
weight is left out of the bundle, and the rest is weighed again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners.guard import Guard
from edgewise.policies.learners.kernels import LANDMARKS
from edgewise.policies.learners.machine import KernelLearner, KernelMachine
from edgewise.policies.learners.neighbours import NeighbourLearner, Neighbours
from edgewise.policies.learners.protocol import folds, means
from edgewise.policies.learners.terms import TermLearner, TermRule
from edgewise.policies.learners.threads import one_thread
from edgewise.policies.learners.trees import TreeLearner, TreeRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats, Training

    Member = KernelMachine | TermRule | Neighbours | TreeRule

FOLDS: Final = 5
PRIOR: Final = {"direct": 0.3, "by_task": 0.45, "terms": 0.25, "neighbours": 0.1, "trees": 0.2}
NO_TASKS: Final = {"direct": 0.3, "terms": 0.4, "neighbours": 0.2, "trees": 0.1}
MANY_TASKS: Final = 30
"""With fewer, the guessed task says little, and its prior falls in proportion."""
TOO_FEW: Final = "learning needs outcomes of at least two different prompts; this table has fewer"
LEAN: Final = 2_000.0
"""The prior weighs as much as this many prompts."""
LEAST: Final = 0.08
LEAST_TRUST: Final = 0.05
"""Some difference is kept: a share or a budget still asks which prompts to send first."""
SWEEPS: Final = 2_000
_STILL: Final = 1e-10
MANY: Final = 5_000
"""Beyond this many prompts neighbours and trees are left out: they add little, and time to each decision."""
_SMOOTH: Final[tuple[str, ...]] = ("direct", "by_task")
_FEWEST_CLUSTERS: Final = 2


_TYPES: Final[dict[str, Any]] = {"terms": TermRule, "neighbours": Neighbours, "trees": TreeRule}


@dataclass(frozen=True, slots=True)
class Stack:
    """Which forecasts are mixed, and how: weights (k,) of differences and of means.

    `middle` (k, c) is each member's mean forecast, `base` (c,) the mean target.
    """

    names: tuple[str, ...]
    apart: Floats
    level: Floats
    middle: Floats
    base: Floats

    def mix(self, forecasts: Floats) -> Floats:
        """Forecasts (n, k, c) of the members → one, (n, c)."""
        off = forecasts - self.middle
        mean = off.mean(2, keepdims=True)
        apart = ((off - mean) * self.apart[:, None]).sum(1)
        level = (mean * self.level[:, None]).sum(1)
        return np.asarray(self.base + apart + level, np.float32)


@dataclass(frozen=True, slots=True)
class Auto:
    """Fitted; `guard` knows what is unlike everything seen (see `look`)."""

    kernel: KernelMachine
    others: dict[str, TermRule | Neighbours | TreeRule]
    stack: Stack
    guard: Guard

    def predict(self, features: Described) -> Floats:
        """Expected target of each text under each candidate, (n, c)."""
        return self.look(features)[0]

    def look(self, features: Described) -> tuple[Floats, NDArray[np.bool_]]:
        """`predict`, and which texts are far from everything seen (theirs is the prior)."""
        seen = self.kernel.members(features)
        found: dict[str, Floats] = dict(zip(_SMOOTH, np.moveaxis(seen, 1, 0), strict=False))
        for name, member in self.others.items():
            found[name] = member.predict(features)
        out = self.stack.mix(np.stack([found[name] for name in self.stack.names], 1))
        far = self.guard.far(features)
        out[far] = self.stack.base
        return out, far

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of every member, each under `member/`, and the stack's."""
        parts: dict[str, Member | Guard] = {"kernel": self.kernel, "guard": self.guard, **self.others}
        out = {f"{name}/{key}": a for name, part in parts.items() for key, a in part.arrays().items()}
        for key in ("apart", "level", "middle", "base"):
            out[f"stack/{key}"] = getattr(self.stack, key)
        out["stack/order"] = np.array([tuple(PRIOR).index(n) for n in self.stack.names], np.int64)
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Auto:
        """The inverse of `arrays`."""
        parts: dict[str, dict[str, NDArray[Any]]] = {}
        for key, value in arrays.items():
            room, _, name = key.rpartition("/")
            parts.setdefault(room, {})[name] = value
        others = {n: t.from_arrays(parts[n]) for n, t in _TYPES.items() if n in parts}
        s = parts["stack"]
        names = tuple(tuple(PRIOR)[int(i)] for i in s["order"])
        stack = Stack(names, s["apart"], s["level"], s["middle"], s["base"])
        kernel = KernelMachine.from_arrays(parts["kernel"])
        return cls(kernel, others, stack, Guard.from_arrays(parts["guard"]))


@dataclass(frozen=True, slots=True)
class AutoLearner:
    """Learner of `Auto`."""

    def fit(self, data: Training) -> Auto:
        """Learn from `data`."""
        return self.cross_fit_alone(data)[0]

    @one_thread()
    def cross_fit_alone(self, data: Training) -> tuple[Auto, Doubles]:
        """The stack, and its forecasts (n, c) on prompts that no member had seen.

        The stack's own few weights were fitted on those same forecasts; use an
        outer split for a figure that is to be published.
        """
        if len(np.unique(data.clusters)) < _FEWEST_CLUSTERS:
            raise ValueError(TOO_FEW)
        fold = folds(data.clusters, FOLDS, data.seed)
        kernel, smooth = KernelLearner(LANDMARKS).cross_fit(data, fold)
        held: dict[str, Doubles] = dict(zip(_SMOOTH, np.moveaxis(smooth, 1, 0), strict=False))
        fitted: dict[str, TermRule | Neighbours | TreeRule] = {}
        fitted["terms"], held["terms"] = TermLearner().cross_fit(data, fold)
        if len(data) <= MANY:
            fitted["neighbours"], held["neighbours"] = NeighbourLearner().cross_fit(data, fold)
            fitted["trees"], held["trees"] = TreeLearner().cross_fit(data, fold)
        stack = weigh(held, data)
        others = {name: member for name, member in fitted.items() if name in stack.names}
        mixed = stack.mix(np.stack([held[name] for name in stack.names], 1).astype(np.float32))
        return Auto(kernel, others, stack, Guard.fit(data.features)), mixed.astype(np.float64)


def weigh(held: Mapping[str, Doubles], data: Training) -> Stack:
    """Stack the forecasts on held-out prompts, then once more without the idle members."""
    stack = _stack(tuple(held), held, data)
    kept = tuple(n for n, w in zip(stack.names, stack.apart, strict=True) if w >= LEAST)
    if kept not in {(), stack.names}:
        stack = _stack(kept, held, data)
    return replace(stack, apart=stack.apart * np.float32(_trust(stack, held, data)))


def _trust(stack: Stack, held: Mapping[str, Doubles], data: Training) -> float:
    """How far the forecast differences between candidates bear out on held-out prompts, 0 to 1.

    The slope of the truth on them, shrunk by its own uncertainty (James and Stein 1961): where nothing
    was learned, the forecasts are the means, and the best candidate on the whole is chosen.
    """
    seen = np.where(np.isnan(data.targets), 0.0, data.weights)
    count = np.maximum(seen.sum(1, keepdims=True), 1e-12)
    said = stack.mix(np.stack([held[name] for name in stack.names], 1).astype(np.float32)) - stack.base
    truth = np.nan_to_num(data.targets - stack.base)
    x = said - (seen * said).sum(1, keepdims=True) / count
    y = truth - (seen * truth).sum(1, keepdims=True) / count
    size = float((seen * x * x).sum())
    free = float((seen > 0).sum() - (seen > 0).any(1).sum())
    if size <= 0.0 or free <= 0.0:  # logged choices have no differences within a prompt
        return 1.0
    slope = float((seen * x * y).sum()) / size
    if slope <= 0.0:
        return LEAST_TRUST
    doubt = float((seen * (y - slope * x) ** 2).sum()) / free / size
    return max(LEAST_TRUST, min(1.0, slope) * max(0.0, 1.0 - doubt / slope**2))


def _stack(names: tuple[str, ...], held: Mapping[str, Doubles], data: Training) -> Stack:
    base = means(data.targets, data.weights)
    forecasts = np.stack([held[name] for name in names], 1)
    middle = forecasts.mean(0)
    off = forecasts - middle
    target = data.targets - base
    seen = np.where(np.isnan(target), 0.0, data.weights)
    share = seen / np.maximum(seen.sum(1, keepdims=True), 1e-12)
    goal_level = (share * np.nan_to_num(target)).sum(1, keepdims=True)
    level = (share[:, None] * off).sum(2, keepdims=True)
    root = np.sqrt(seen / max(float(seen[seen > 0].mean()), 1e-12)) if seen.any() else seen
    prior = _prior(names, data)
    lean = LEAN / max(len(data), 1)
    apart = off - off.mean(2, keepdims=True) if _complete(target) else off
    goal = np.nan_to_num(target) - (goal_level if _complete(target) else 0.0)
    return Stack(
        names,
        _weights(apart * root[:, None], goal * root, prior, lean).astype(np.float32),
        _weights(level, goal_level, prior, lean).astype(np.float32),
        middle.astype(np.float32),
        base.astype(np.float32),
    )


def _prior(names: tuple[str, ...], data: Training) -> Doubles:
    """What each member is expected to weigh, one in all."""
    expected = PRIOR if "by_task" in names else NO_TASKS
    prior = np.array([expected[name] for name in names])
    if "by_task" in names:
        tasks = len(np.unique(data.labels[data.labels >= 0]))
        prior[names.index("by_task")] *= min(1.0, tasks / MANY_TASKS)
    return np.asarray(prior / prior.sum(), np.float64)


def _complete(target: Doubles) -> bool:
    return target.shape[1] > 1 and not bool(np.isnan(target).any())


def _weights(x: Doubles, y: Doubles, prior: Doubles, lean: float) -> Doubles:
    """Non-negative least squares with a pull towards `prior`, at most one in all."""
    k = len(prior)
    rows = np.moveaxis(x, 1, 2).reshape(-1, k)
    pull = (lean * (rows * rows).sum(0).mean()) ** 0.5
    if pull == 0.0:
        return prior
    gram = rows.T @ rows + pull * pull * np.eye(k)
    right = rows.T @ y.ravel() + pull * pull * prior
    found = _least(gram, right)
    return np.asarray(found / max(1.0, float(found.sum())), np.float64)


def _least(gram: Doubles, right: Doubles) -> Doubles:
    """The non-negative x that makes x·gram·x / 2 - right·x least, a coordinate at a time."""
    x = np.zeros(len(right))
    for _ in range(SWEEPS):
        before = x.copy()
        for i in range(len(x)):
            x[i] = max(0.0, x[i] + float(right[i] - gram[i] @ x) / float(gram[i, i]))
        if np.abs(x - before).max() < _STILL:
            break
    return x
