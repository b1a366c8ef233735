"""The second stage: from a prompt and a candidate's own answer, is it right?

An additive Gaussian kernel ridge (see `kernels`) on five blocks: the prompt's
vector and statistics, the answer's vector and statistics, and what the two
have to do with each other (`interplay`). Full rank: each labelled answer is a
landmark, up to `MOST` of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgewise.policies.learners import interplay
from edgewise.policies.learners.protocol import means
from edgewise.policies.learners.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.learners.protocol import Arrays, Doubles, Floats


MOST: Final = 1_500
PENALTIES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
WIDTHS: Final = (2.0, 0.5, 2.0, 0.5, 0.5)
"""Kernel widths of the blocks, in the order of `_blocks`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Prompts, the answers to them, and the interplay of both (n, 26)."""

    prompts: Described
    answers: Described
    interplay: Floats

    def __len__(self) -> int:
        return len(self.prompts)

    def take(self, rows: NDArray[np.intp]) -> Answered:
        """Some of them."""
        return Answered(self.prompts.take(rows), self.answers.take(rows), self.interplay[rows])


def beside(prompts: Sequence[str], answers: Sequence[str]) -> Floats:
    """Interplay of each prompt with its answer, (n, 26)."""
    rows = [interplay.describe(p, a) for p, a in zip(prompts, answers, strict=True)]
    return np.array(rows, np.float32).reshape(len(rows), interplay.WIDTH)


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """Fitted; `duals` (m, k) weigh the kernel to each of m labelled answers.

    Outputs are whatever was fitted: this candidate's quality first, then, for
    example, the gain of each other candidate over it.
    """

    means: tuple[Floats, ...]
    scales: tuple[Floats, ...]
    marks: tuple[Floats, ...]
    duals: Floats
    base: Floats

    def predict(self, found: Answered) -> Floats:
        """Expected outputs of each answer, (n, k)."""
        blocks = _scaled(_blocks(found), self.means, self.scales)
        return _kernel(blocks, self.marks) @ self.duals + self.base

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Seventeen arrays."""
        out: dict[str, NDArray[Any]] = {"duals": self.duals, "base": self.base}
        for i in range(len(WIDTHS)):
            out[f"mean.{i}"] = self.means[i]
            out[f"scale.{i}"] = self.scales[i]
            out[f"marks.{i}"] = self.marks[i]
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> AnswerRule:
        """The inverse of `arrays`."""
        fields = (
            tuple(arrays[f"{name}.{i}"] for i in range(len(WIDTHS))) for name in ("mean", "scale", "marks")
        )
        means, scales, marks = fields
        return cls(means, scales, marks, arrays["duals"], arrays["base"])


@dataclass(frozen=True, slots=True)
class AnswerLearner:
    """Learner of `AnswerRule`."""

    most: int = MOST

    @one_thread()
    def fit(
        self, found: Answered, targets: Doubles, seed: int = 0, weights: Doubles | None = None
    ) -> AnswerRule:
        """Learn `targets` (n, k; NaN = unseen) with `weights` (n, k); the penalty by leaving one out.

        Repeated prompts should be merged or few: each row is left out alone.
        """
        given = np.ones(targets.shape) if weights is None else weights
        seen = np.where(np.isnan(targets), 0.0, given)
        rows = np.flatnonzero((seen > 0).any(1))
        if len(rows) > self.most:
            rows = np.sort(np.random.default_rng(seed).permutation(rows)[: self.most])
        found, targets, seen = found.take(rows), targets[rows], seen[rows]
        raw = _blocks(found)
        # Vectors are only centred (and brought back to length one), numbers standardised.
        centres = tuple(_centre(block) for block in raw)
        scales = tuple(_scale(block, i) for i, block in enumerate(raw))
        marks = tuple(_scaled(raw, centres, scales))
        base = means(targets, seen)
        kernel = _kernel(marks, marks).astype(np.float64)
        duals = _solve(kernel, np.nan_to_num(targets - base), seen)
        return AnswerRule(centres, scales, marks, duals.astype(np.float32), base.astype(np.float32))


def _solve(kernel: Doubles, y: Doubles, seen: Doubles) -> Doubles:
    """Dual weights (n, k) under the one penalty that errs least on rows left out.

    With root weights s, (s K s + penalty) z = s y and the dual is s z.
    """
    alike: dict[bytes, list[int]] = {}
    for column in range(y.shape[1]):
        alike.setdefault(seen[:, column].tobytes(), []).append(column)
    errors = np.zeros(len(PENALTIES))
    duals = np.zeros((len(PENALTIES), *y.shape))
    for columns in alike.values():
        weight = seen[:, columns[0]]
        if not weight.any():
            continue
        root = np.sqrt(weight / weight[weight > 0].mean())[:, None]
        values, axes = np.linalg.eigh(root * kernel * root.T)
        values = np.maximum(values, 0.0)
        turned = axes.T @ (root * y[:, columns])
        for row, penalty in enumerate(PENALTIES):
            shrink = 1.0 / (values + penalty)
            z = axes @ (shrink[:, None] * turned)
            left_out = z / ((axes * axes) @ shrink)[:, None]
            errors[row] += float((left_out * left_out).sum())
            duals[row][:, columns] = root * z
    return np.asarray(duals[errors.argmin()], np.float64)


def _kernel(blocks: Sequence[Floats], marks: Sequence[Floats]) -> Floats:
    total = np.zeros((len(blocks[0]), len(marks[0])), np.float32)
    for block, mark, width in zip(blocks, marks, WIDTHS, strict=True):
        total += _gauss(block, mark, width)
    return total


def _blocks(found: Answered) -> list[Floats]:
    prompts, answers = found.prompts, found.answers
    return [
        prompts.vectors, prompts.statistics, answers.vectors, answers.statistics, found.interplay,
    ]  # fmt: skip


_VECTORS: Final = (0, 2)


def _centre(block: Floats) -> Floats:
    return np.asarray(block.mean(0) if len(block) else np.zeros(block.shape[1]), np.float32)


def _scale(block: Floats, position: int) -> Floats:
    if position in _VECTORS or not len(block):
        return np.ones((block.shape[1],), np.float32)
    return np.asarray(np.maximum(block.std(0), 1e-3), np.float32)


def _scaled(blocks: Sequence[Floats], means: Sequence[Floats], scales: Sequence[Floats]) -> list[Floats]:
    out: list[Floats] = []
    for position, block in enumerate(blocks):
        x = (block - means[position]) / scales[position]
        if position in _VECTORS:
            x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
        else:
            x = np.clip(x, -4.0, 4.0) / np.float32(x.shape[1] ** 0.5)
        out.append(x.astype(np.float32))
    return out


def _gauss(x: Floats, marks: Floats, width: float) -> Floats:
    near = x @ marks.T
    near *= 2.0
    near -= np.einsum("ij,ij->i", x, x)[:, None]
    near -= np.einsum("ij,ij->i", marks, marks)
    near *= np.float32(width)
    return np.asarray(np.exp(near, out=near), np.float32)
