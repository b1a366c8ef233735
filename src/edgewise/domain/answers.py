"""What the candidate that was asked first has said: what a cascade reads before it asks another."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Classified(Struct, frozen=True):
    """A classifier's answer: its likeliest label, and each label's calibrated probability.

    `energy` is the log of the summed exponentials of its raw scores, `largest` the largest of them: both are
    low for texts unlike anything that it was made for. None where the classifier tells no raw scores.
    """

    label: str
    probabilities: dict[str, float]
    energy: float | None = None
    largest: float | None = None

    @property
    def confidence(self) -> float:
        """The probability of the label it says."""
        return self.probabilities[self.label]


class FirstAnswer(Struct, frozen=True):
    """An answer that no client has seen yet. `text` are its words, empty where it only calls a tool.

    `prompt` is what was asked, without markup; `vector` are the words described as prompts are, where a policy
    needs that; `took_s` are the seconds from the request's arrival until it was there. `classified` is what a
    classifier says; `metadata` is the request's.
    """

    candidate: str
    text: str
    prompt: str = ""
    vector: Any = None
    took_s: float = 0.0
    classified: Classified | None = None
    metadata: dict[str, str] = {}
