"""A smaller network learns to say, and to hold inside, what the trained one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgewise.learning.distill.finetune import LARGEST_NORM, batched, copied, judged, logits_of, warmed
from edgewise.learning.distill.network import padded, torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.learning.distill.finetune import Lesson
    from edgewise.learning.distill.network import TextClassifier

    Texts = Sequence[Sequence[int]]
    Say = Callable[[str], None]


class Plan(NamedTuple):
    """One training: what it is called, how long and how fast, and how often it is judged.

    A student that has less room than its teacher, and learns of every token, needs no dropout.
    """

    name: str
    epochs: int
    rate: float
    dropout: bool = False
    every: int = 1


def teach(
    teacher: TextClassifier, student: TextClassifier, lesson: Lesson, name: str, say: Say
) -> dict[str, Any]:
    """Train `student`, of the same width, on the training texts and texts like them; gives back the figures.

    It learns the teacher's softened logits and its last layer, token by token. Sources: Hinton et al.,
    "Distilling the knowledge in a neural network", 2015; Jiao et al., "TinyBERT", EMNLP 2020 (hidden states,
    and texts made by exchanging words).
    """
    how = lesson.options.teaching

    def loss(texts: Texts, _: Sequence[int]) -> Any:
        ids, mask = padded(texts)
        with torch.no_grad():
            inside = teacher.hidden(ids, mask)
            right = teacher.head(teacher.pooled(inside, mask))
        found = student.hidden(ids, mask)
        said = student.head(student.pooled(found, mask))
        return _apart(said, right, how.temperature) + how.inside * _share(found - inside, inside, mask)

    def texts(number: int) -> Texts:
        return exchanged(lesson.train.tokens, how.exchanged, lesson.options.seed * 1000 + number)

    teacher.eval()
    return _taught(student, lesson, Plan(name, how.epochs, how.rate), texts, loss, say)


def teach_static(
    teacher: TextClassifier, student: Any, lesson: Lesson, name: str, say: Say
) -> dict[str, Any]:
    """Train a student of another kind on what the teacher says of each text and of a few like it.

    The teacher is asked once for each of them, since a pass over this student costs far less than an answer.
    """
    how = lesson.options.teaching
    many = list(lesson.train.tokens)
    for copy in range(how.copies):
        seed = lesson.options.seed * 1000 + 500 + copy
        many.extend(exchanged(lesson.train.tokens, how.exchanged, seed))
    torch.set_num_threads(lesson.options.threads)
    right = logits_of(teacher, many)

    def loss(texts: Texts, rows: Sequence[int]) -> Any:
        return _apart(student(*padded(texts)), right[torch.tensor(rows)], how.temperature)

    plan = Plan(name, how.static_epochs, how.static_rate, dropout=True, every=5)
    return _taught(student, lesson, plan, lambda _: many, loss, say)


def _taught(  # noqa: PLR0913, PLR0917 - what differs between the two
    student: Any,
    lesson: Lesson,
    plan: Plan,
    texts: Callable[[int], Texts],
    loss: Callable[[Texts, Sequence[int]], Any],
    say: Say,
) -> dict[str, Any]:
    how = lesson.options.teaching
    torch.set_num_threads(lesson.options.threads)
    torch.manual_seed(lesson.options.seed)
    steps = plan.epochs * -(-len(texts(1)) // how.batch)
    adam = torch.optim.AdamW(student.parameters(), lr=plan.rate, weight_decay=0.01)
    optimiser, schedule = warmed(adam, steps)
    figures: list[dict[str, Any]] = []
    best, best_state = 0, copied(student)
    for number in range(1, plan.epochs + 1):
        tokens = texts(number)
        student.train(plan.dropout)
        for batch in batched([len(ids) for ids in tokens], how.batch, lesson.options.seed * 1000 + number):
            optimiser.zero_grad()
            loss([tokens[row] for row in batch], batch).backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), LARGEST_NORM)
            optimiser.step()
            schedule.step()
        if number % plan.every and number != plan.epochs:
            continue
        figures.append(judged(student, lesson.validation, number))
        say(f"{plan.name}, epoch {number}: accuracy {figures[-1]['accuracy']:.1%} on the validation part")
        if figures[-1]["accuracy"] == max(found["accuracy"] for found in figures):  # the latest of equals
            best, best_state = number, copied(student)
    student.load_state_dict(best_state)
    student.eval()
    return {"epochs": figures, "best": best}


def exchanged(tokens: Texts, share: float, seed: int) -> list[list[int]]:
    """The same texts with this share of their tokens exchanged for tokens of any of them; no marker moves."""
    lots = np.random.default_rng(seed)
    pool = np.array([token for ids in tokens for token in ids[1:-1]], np.int64)
    made: list[list[int]] = []
    for ids in tokens:
        row = np.array(ids, np.int64)
        chosen = 1 + np.flatnonzero(lots.random(max(0, len(ids) - 2)) < share)
        row[chosen] = lots.choice(pool, len(chosen)) if len(pool) else row[chosen]
        made.append(row.tolist())
    return made


def _apart(said: Any, right: Any, temperature: float) -> Any:
    """How far softened probabilities lie from the teacher's, at the scale of plain ones."""
    log = torch.nn.functional.log_softmax
    apart = torch.nn.functional.kl_div(
        log(said / temperature, -1), log(right / temperature, -1), log_target=True, reduction="batchmean"
    )
    return apart * temperature**2


def _share(difference: Any, whole: Any, mask: Any) -> Any:
    """Of the squared length of `whole`, over the tokens that count."""
    counted = mask.unsqueeze(-1).to(whole.dtype)
    return (difference**2 * counted).sum() / (whole**2 * counted).sum()
