"""A made-up table for learners: two tasks, two or more candidates, and text that tells which is better."""

import numpy as np

from edgewise.features.described import DATA
from edgewise.features.static.vectors import StaticVectors
from edgewise.policies.learners.protocol import Training

STATIC = StaticVectors.load(DATA / "static.safetensors", DATA / "vocab.txt")
SUMS = ("add", "multiply", "divide", "sum", "integral", "fraction", "matrix", "equation", "root", "number")
TALES = ("dragon", "castle", "princess", "river", "forest", "wizard", "ship", "storm", "garden", "letter")


def prompts(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """`count` prompts about sums (label 0) or tales (label 1)."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    texts = []
    for number, label in enumerate(labels):
        words = draw.choice((SUMS, TALES)[label], 5)
        texts.append(
            f"Please {words[0]} the {words[1]} and the {words[2]} of {words[3]} {words[4]}, {number}."
        )
    return texts, labels


def table(count: int = 300, candidates: int = 2, seed: int = 0, *, tasks: bool = True) -> Training:
    """Candidate 0 is good at sums, candidate 1 at tales, all others at nothing much."""
    texts, labels = prompts(count, seed)
    draw = np.random.default_rng(seed + 1)
    odds = np.full((count, candidates), 0.4)
    odds[:, 0], odds[:, 1] = np.where(labels == 0, 0.9, 0.3), np.where(labels == 1, 0.8, 0.3)
    targets = (draw.random(odds.shape) < odds).astype(float)
    return Training(
        STATIC.describe(texts), targets, np.ones(odds.shape), np.arange(count),
        labels if tasks else np.full(count, -1), seed,
    )  # fmt: skip
