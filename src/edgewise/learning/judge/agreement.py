"""How far judges agree with graders, people, each other and themselves. Measured, never assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from edgewise.learning.evaluate.bootstrap import UNKNOWN, Interval, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

DRAWS = 1_000
FEWEST = 5  # pairs; of fewer nothing is told
HALF = 0.5
CLOSE = 0.05  # two scores that differ by no more are the same for all purposes


class Agreement(Struct, frozen=True):
    """How far `judge` agrees with `reference`, on `n` answers to `prompts` prompts; qualities are 0 to 1.

    `spearman` says whether they order answers alike (1: exactly, 0: not at all); `kappa` whether they agree,
    beyond chance, on which are good (0.5 or above); `auc`, where the reference knows right and wrong only,
    how probably a right answer scores higher; `difference` is the mean absolute one, `bias` the mean of
    judge minus reference. All have 95 % intervals by resampling prompts; NaN is what cannot be told.
    """

    judge: str
    reference: str
    n: int
    prompts: int
    spearman: Interval
    kappa: Interval
    auc: Interval
    difference: Interval
    bias: Interval


class Consistency(Struct, frozen=True):
    """How far a judge agrees with itself when it is asked again (`n` answers, their first two scores).

    `same` is the share of answers whose scores differ by at most 5 points of 100.
    """

    judge: str
    n: int
    same: Interval
    difference: Interval
    spearman: Interval


def agreement(
    judge: str, reference: str, pairs: Sequence[tuple[str, float, float]], seed: int = 0
) -> Agreement:
    """Of `pairs`: a prompt, the judge's quality and the reference's."""
    keys = [key for key, _, _ in pairs]
    ours, theirs = np.array([p[1] for p in pairs]), np.array([p[2] for p in pairs])
    draws = _draws(keys, seed)
    binary = bool(len(pairs)) and bool(np.isin(theirs, (0.0, 1.0)).all())
    return Agreement(
        judge,
        reference,
        len(pairs),
        len(set(keys)),
        _figure(spearman, ours, theirs, draws),
        _figure(kappa, ours, theirs, draws),
        _figure(auc, ours, theirs, draws) if binary else UNKNOWN,
        _figure(_difference, ours, theirs, draws),
        _figure(_bias, ours, theirs, draws),
    )


def consistency(judge: str, pairs: Sequence[tuple[str, float, float]], seed: int = 0) -> Consistency:
    """Of `pairs`: a prompt, and the qualities that the judge gave the same answer twice."""
    first, second = np.array([p[1] for p in pairs]), np.array([p[2] for p in pairs])
    draws = _draws([key for key, _, _ in pairs], seed)
    figures = [_figure(each, first, second, draws) for each in (_same, _difference, spearman)]
    return Consistency(judge, len(pairs), *figures)


def spearman(ours: Floats, theirs: Floats) -> float:
    """Spearman's rank correlation; NaN where one side is constant."""
    a, b = _ranks(ours), _ranks(theirs)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else float("nan")


def kappa(ours: Floats, theirs: Floats) -> float:
    """Cohen's kappa of "good" (0.5 or above); NaN where chance alone agrees on everything."""
    a, b = ours >= HALF, theirs >= HALF
    chance = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    return (float((a == b).mean()) - chance) / (1 - chance) if chance < 1 else float("nan")


def auc(ours: Floats, theirs: Floats) -> float:
    """How probably an answer that is right has the higher score, ties counting half."""
    right = theirs >= HALF
    good, bad = int(right.sum()), int((~right).sum())
    if not good or not bad:
        return float("nan")
    return (float(_ranks(ours)[right].sum()) - good * (good + 1) / 2) / (good * bad)


def _figure(of: Callable[[Floats, Floats], float], a: Floats, b: Floats, draws: list[Rows]) -> Interval:
    if len(a) < FEWEST:
        return UNKNOWN
    return interval(of(a, b), np.array([of(a[rows], b[rows]) for rows in draws]))


def _draws(keys: Sequence[str], seed: int) -> list[Rows]:
    """Row numbers, draw by draw: prompts are drawn with replacement, and their rows stay together."""
    if len(keys) < FEWEST:
        return []
    together: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        together.setdefault(key, []).append(row)
    groups: list[Rows] = [np.array(rows, dtype=np.intp) for rows in together.values()]
    dice = np.random.default_rng(seed)
    return [_drawn(groups, dice) for _ in range(DRAWS)]


def _drawn(groups: list[Rows], dice: np.random.Generator) -> Rows:
    picks: list[int] = dice.integers(0, len(groups), len(groups)).tolist()
    return np.concatenate([groups[pick] for pick in picks])


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; ties share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place].astype(np.float64)


def _difference(a: Floats, b: Floats) -> float:
    return float(np.abs(a - b).mean())


def _bias(a: Floats, b: Floats) -> float:
    return float((a - b).mean())


def _same(a: Floats, b: Floats) -> float:
    return float((np.abs(a - b) <= CLOSE + 1e-9).mean())
