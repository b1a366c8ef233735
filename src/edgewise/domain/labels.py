"""What a classifier says of a text, and what of that is kept."""

from __future__ import annotations

from msgspec import Struct


class Said(Struct, frozen=True):
    """What a classifier says of one text: the likeliest label, and each label's calibrated probability.

    `probabilities` are empty where whoever named the label gave none, as a chat model does. `out_of_scope`
    says how strange the text is to the classifier, a larger number being stranger: for a bundle it is the
    negative energy, -ln Σ exp(logit), of its logits as they are. It compares within one bundle only.
    """

    label: str
    probabilities: dict[str, float] = {}
    out_of_scope: float | None = None

    @property
    def confidence(self) -> float | None:
        """The probability of the label it says, where it gives one."""
        return self.probabilities.get(self.label)

    def top(self, k: int) -> dict[str, float]:
        """The k likeliest labels, likeliest first; all of them where k is 0."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])
        return dict(ranked[:k] if k else ranked)

    @property
    def gist(self) -> Gist:
        """What the log keeps of it."""
        return Gist(self.label, self.confidence, self.out_of_scope)


class Gist(Struct, frozen=True, omit_defaults=True):
    """What the log keeps of what was said of a text: the label, its probability, how strange the text is."""

    label: str
    confidence: float | None = None
    out_of_scope: float | None = None
