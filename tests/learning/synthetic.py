"""Small made-up worlds for tests: which candidate is better depends on words in the prompt."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

HARD = ("prove", "derive", "integrate", "theorem", "eigenvalue", "asymptotic")
EASY = ("greet", "colour", "weather", "fruit", "breakfast", "holiday")
FILLER = ("please", "about", "the", "short", "long", "some", "three", "explain", "list", "today")


def prompts(count: int, seed: int = 0) -> list[tuple[str, bool]]:
    """`count` prompts, half of them hard, each with whether it is."""
    dice = Random(seed)
    made: list[tuple[str, bool]] = []
    for number in range(count):
        hard = number % 2 == 0
        words = [*dice.sample(HARD if hard else EASY, 2), *dice.sample(FILLER, 4), f"case {number}"]
        dice.shuffle(words)
        made.append((" ".join(words), hard))
    return made


def write_table(
    path: Path, count: int = 160, *, responses: bool = False, seed: int = 0, energy: bool = False
) -> Path:
    """An outcome table: the edge fails on hard prompts, the cloud on neither, but it is slow and dear."""
    dice = Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        names = ["prompt", "candidate", "location", "quality", "latency_s", "cost_usd", "group"]
        names += ["energy_j"] if energy else []
        out.writerow([*names, "response"] if responses else names)
        for prompt, hard in prompts(count, seed):
            for candidate, location in (("small", "edge"), ("large", "cloud")):
                right = dice.random() < (0.9 if candidate == "large" or not hard else 0.1)
                latency = dice.uniform(0.1, 0.2) if candidate == "small" else dice.uniform(1.0, 2.0)
                cost = 0.0 if candidate == "small" else 0.002
                row = [prompt, candidate, location, float(right), latency, cost, "hard" if hard else "easy"]
                row += [20.0 * latency] if energy else []
                answer = "The answer is 42, for certain." if right else "I am not sure, maybe, perhaps."
                out.writerow([*row, answer] if responses else row)
    return path
