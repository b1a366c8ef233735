"""Answer-aware heads: is this answer right, and what would asking another candidate gain?"""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.features.described import describer
from edgewise.learning.train.held_out import FOLDS, errors
from edgewise.policies.learners.answers import Answered, AnswerLearner, beside
from edgewise.policies.learners.protocol import folds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.learning.tables import OutcomeTable
    from edgewise.learning.train.targets import Targets
    from edgewise.policies.learners.answers import AnswerRule

FEWEST = 20


def answer_heads(
    table: OutcomeTable, targets: Targets, features: Described, how: str, seed: int
) -> Iterator[tuple[str, AnswerRule, dict[str, dict[str, float | None]]]]:
    """(name, rule, metrics on held-out prompts) for each candidate with enough answers.

    A rule's outputs are the candidate's own utility, then the gain of each other candidate over it.
    """
    for column, candidate in enumerate(table.candidates):
        texts = table.responses.get(candidate)
        if texts is None:
            continue
        known = np.asarray(~np.isnan(targets.value).any(axis=1))
        rows = np.array([i for i, text in enumerate(texts) if text and known[i]], np.intp)
        if len(rows) < FEWEST:
            continue
        answered = describe_answers(
            [table.prompts[i] for i in rows], [texts[i] or "" for i in rows], how, features.take(rows)
        )
        own = targets.value[rows, column : column + 1]
        wanted = np.hstack([own, np.delete(targets.value[rows] - own, column, axis=1)])
        fold = folds(targets.clusters[rows], FOLDS, seed)
        held = np.full(wanted.shape, np.nan)
        for number in range(FOLDS):
            out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            held[out] = (
                AnswerLearner().fit(answered.take(rest), wanted[rest], seed).predict(answered.take(out))
            )
        rule = AnswerLearner().fit(answered, wanted, seed)
        others = tuple(f"gain of {other}" for other in table.candidates if other != candidate)
        yield f"answer:{candidate}", rule, errors(held, wanted, (candidate, *others))


def describe_answers(
    prompts: Sequence[str], answers: Sequence[str], how: str, described: Described | None = None
) -> Answered:
    """Prompts and their answers as an answer head reads them."""
    describe = describer(how)
    interplay: NDArray[np.float32] = beside(list(prompts), list(answers))
    return Answered(describe(prompts) if described is None else described, describe(answers), interplay)
