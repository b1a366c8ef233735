"""Fine-tuning: the head first, the backbone frozen; then all at a lower rate; the best epoch is kept."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.learning.distill.network import TextClassifier, fresh, padded, save, torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.learning.distill.options import DistillOptions, FineTuning

WARM_UP = 0.1  # share of the steps
HEAD_RATE = 1e-2  # on frozen vectors, which are cheap and well scaled
LARGEST_NORM = 1.0
POOL = 20  # batches that are shuffled together before they are sorted by length
SCORING_BATCH = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts as token ids, and the column of each one's label."""

    tokens: Sequence[Sequence[int]]
    labels: Sequence[int]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from, what chooses the epoch, how many labels there are, and how."""

    train: Rows
    validation: Rows
    labels: int
    options: DistillOptions

    @property
    def tuning(self) -> FineTuning:
        """The rates."""
        return self.options.tuning


def fine_tune(base: str, lesson: Lesson, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Train and write weights, configuration and tokenizer into `folder`; gives back each epoch's figures.

    The same seed, machine and number of threads give the same weights.
    """
    torch.set_num_threads(lesson.options.threads)
    torch.manual_seed(lesson.options.seed)
    network = fresh(base, lesson.labels)
    weights = class_weights(lesson.train.labels, lesson.labels, lesson.tuning.weight_power)
    loss = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=lesson.tuning.smoothing)
    _fit_head(network, lesson, loss)
    epochs = [judged(network, lesson.validation, 0)]
    say(_line(epochs[-1]))
    best, best_state = epochs[0], copied(network)
    optimiser, schedule = _optimiser(network, lesson)
    for number in range(1, lesson.tuning.epochs + 1):
        _epoch(network, lesson, loss, (optimiser, schedule), number)
        epochs.append(judged(network, lesson.validation, number))
        say(_line(epochs[-1]))
        if epochs[-1]["loss"] < best["loss"]:
            best, best_state = epochs[-1], copied(network)
        if idle(epochs) >= lesson.tuning.patience:
            break
    network.load_state_dict(best_state)
    save(network, folder)
    shutil.copyfile(Path(base) / "tokenizer.json", folder / "tokenizer.json")
    return {"epochs": epochs, "best": best["epoch"], "torch": str(torch.__version__)}


def class_weights(labels: Sequence[int], count: int, power: float) -> Any:
    """(count,) weights, higher for rare labels (frequency to the power of -`power`); mean 1 by row."""
    counts = Counter(labels)
    raw = np.array([max(counts[label], 1) ** -power for label in range(count)])
    mean = sum(raw[label] for label in labels) / len(labels)
    return torch.tensor(raw / mean, dtype=torch.float32)


def batched(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """Positions in batches of texts of like length, in an order that the seed alone decides."""
    lots = np.random.default_rng(seed)
    order = lots.permutation(len(lengths)).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), size * POOL):
        pool = sorted(order[start : start + size * POOL], key=lengths.__getitem__)
        batches.extend(pool[at : at + size] for at in range(0, len(pool), size))
    return [batches[place] for place in lots.permutation(len(batches))]


def idle(epochs: Sequence[dict[str, Any]]) -> int:
    """For how many epochs the loss has not fallen; the head alone, which is the first, is no epoch.

    On noisy labels the first epochs, at the highest rate, are often worse than it, and the last ones better.
    """
    lowest = min(epochs[1:], key=lambda epoch: epoch["loss"])
    return int(epochs[-1]["epoch"] - lowest["epoch"])


def logits_of(network: Any, tokens: Sequence[Sequence[int]]) -> Any:
    """(n, labels) as a tensor, in the order of the texts, nothing dropped out."""
    return each(network, tokens, network.forward)


def each(network: Any, tokens: Sequence[Sequence[int]], what: Callable[[Any, Any], Any]) -> Any:
    """One row of `what` a text, in their order, nothing dropped out and no gradient kept."""
    network.eval()
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    rows: list[Any] = [None] * len(tokens)
    with torch.no_grad():
        for start in range(0, len(order), SCORING_BATCH):
            batch = order[start : start + SCORING_BATCH]
            for row, found in zip(batch, what(*padded([tokens[r] for r in batch])), strict=True):
                rows[row] = found
    return torch.stack(rows)


def _fit_head(network: TextClassifier, lesson: Lesson, loss: Any) -> None:
    vectors = each(network, lesson.train.tokens, network.vectors)
    labels = torch.tensor(lesson.train.labels)
    optimiser = torch.optim.Adam(network.head.parameters(), lr=HEAD_RATE)
    for _ in range(lesson.tuning.head_steps):
        optimiser.zero_grad()
        loss(network.head(vectors), labels).backward()
        optimiser.step()


def _optimiser(network: TextClassifier, lesson: Lesson) -> tuple[Any, Any]:
    tuning = lesson.tuning
    groups = [
        {"params": list(network.backbone.parameters()), "lr": tuning.backbone_rate},
        {"params": list(network.head.parameters()), "lr": tuning.head_rate},
    ]
    steps = max(1, tuning.epochs * -(-len(lesson.train.labels) // tuning.batch))
    return warmed(torch.optim.AdamW(groups, weight_decay=0.01), steps)


def warmed(optimiser: Any, steps: int) -> tuple[Any, Any]:
    """The optimiser and its schedule: up over a tenth of the steps, then down to nothing."""
    warm = max(1, int(WARM_UP * steps))

    def share(step: int) -> float:
        return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def _epoch(
    network: TextClassifier, lesson: Lesson, loss: Any, steering: tuple[Any, Any], number: int
) -> None:
    optimiser, schedule = steering
    network.train()
    lengths = [len(ids) for ids in lesson.train.tokens]
    for batch in batched(lengths, lesson.tuning.batch, lesson.options.seed * 1000 + number):
        optimiser.zero_grad()
        logits = network(*padded([lesson.train.tokens[row] for row in batch]))
        loss(logits, torch.tensor([lesson.train.labels[row] for row in batch])).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
        optimiser.step()
        schedule.step()


def judged(network: Any, rows: Rows, epoch: int) -> dict[str, Any]:
    """Loss and accuracy on these rows, beside the number of the epoch."""
    logits, labels = logits_of(network, rows.tokens), torch.tensor(rows.labels)
    return {
        "epoch": epoch,
        "loss": round(float(torch.nn.functional.cross_entropy(logits, labels)), 6),
        "accuracy": round(float((logits.argmax(1) == labels).float().mean()), 6),
    }


def copied(network: Any) -> dict[str, Any]:
    """Its weights as they are now."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _line(found: dict[str, Any]) -> str:
    what = f"epoch {found['epoch']}" if found["epoch"] else "head alone"
    figures = f"loss {found['loss']:.3f}, accuracy {found['accuracy']:.1%}"
    return f"fine-tune, {what}: {figures} on the validation part"
