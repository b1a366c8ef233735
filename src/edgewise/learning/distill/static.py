"""A student without a transformer: a vector a token, what stands beside it, and a mean over the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewise.learning.distill.finetune import each
from edgewise.learning.distill.network import Module, torch

if TYPE_CHECKING:
    from edgewise.learning.distill.network import TextClassifier

WIDTH = 128  # of a token's vector
WINDOWS = 256  # patterns looked for in three tokens that follow each other
HIDDEN = 256
LEAST = -1e4  # below all that a pattern can give


class StaticClassifier(Module):
    """Token ids and mask, (n, t) each → logits, (n, labels).

    A token's vector depends on nothing else; patterns see it with the one before and the one after, and of
    each pattern the strongest sight in the text counts (Kim, "Convolutional neural networks for sentence
    classification", EMNLP 2014), beside the mean of all vectors.
    """

    def __init__(self, vectors: Any, labels: int) -> None:
        Module.__init__(self)
        width = vectors.shape[1]
        self.vectors = torch.nn.Embedding.from_pretrained(vectors, freeze=False)
        self.windows = torch.nn.Linear(3 * width, WINDOWS)
        self.hidden = torch.nn.Linear(width + WINDOWS, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, labels)
        self.dropout = torch.nn.Dropout(0.2)

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        """What torch calls."""
        mask = attention_mask.unsqueeze(-1).to(torch.float32)
        found = self.dropout(self.vectors(input_ids)) * mask
        none = torch.zeros_like(found[:, :1])
        before, after = torch.cat([none, found[:, :-1]], 1), torch.cat([found[:, 1:], none], 1)
        seen = torch.relu(self.windows(torch.cat([before, found, after], -1)))
        strongest = (seen + (1.0 - mask) * LEAST).max(1).values
        mean = found.sum(1) / mask.sum(1).clamp(min=1.0)
        return self.head(self.dropout(torch.relu(self.hidden(torch.cat([mean, strongest], -1)))))


def fresh_static(teacher: TextClassifier, tokens: int, markers: tuple[int, int], labels: int) -> Any:
    """A student whose vectors are what the teacher makes of each token alone, in its main directions.

    `markers` stand before and after a text. The directions are those of a principal component analysis.
    """
    texts = [[markers[0], token, markers[1]] for token in range(tokens)]
    found = each(teacher, texts, teacher.vectors)
    centred = found - found.mean(0)
    _, directions = torch.linalg.eigh(centred.T @ centred)
    main = centred @ directions[:, -WIDTH:].flip(1)
    vectors = torch.zeros(tokens, WIDTH)  # of a narrower teacher, the rest is free to learn
    vectors[:, : main.shape[1]] = main / main.std()
    return StaticClassifier(vectors, labels)
