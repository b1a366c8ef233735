"""General statistics of a text: how long, how varied, made of what.

Nothing here knows a benchmark's format (no "A.", no "####"): lengths, shares
of character classes, richness and rarity of the vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NAMES: Final = (
    "log_characters",
    "log_words",
    "log_lines",
    "log_longest_line",
    "log_sentences",
    "log_numbers",
    "mean_word",
    "long_words",
    "distinct_words",
    "pieces_per_word",
    "mean_log_rank",
    "spread_log_rank",
    "top_log_rank",
    "digits",
    "capitals",
    "spaces",
    "punctuation",
    "mathematics",
    "code",
    "quotes",
    "brackets",
    "foreign",
    "questions",
    "ends_with_question",
)
WIDTH: Final = len(NAMES)
_LONG: Final = 7
_CLASSES: Final = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", " \t\r\n", ".,;:!?-", "+*/=<>^%$|\\")
_MORE: Final = ("{}_`#&@~", "\"'", "()[]")


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for number, characters in enumerate((*_CLASSES, *_MORE), start=1):
        for character in characters:
            table[ord(character)] = number
    table[128:] = len(_CLASSES) + len(_MORE) + 1
    return table


_CLASS: Final = _classes()
_SHARES: Final = len(_CLASSES) + len(_MORE) + 1


def describe(text: str, found: Sequence[str], log_ranks: NDArray[np.float32]) -> list[float]:
    """`WIDTH` numbers about `text`, in the order of `NAMES`.

    `found` are its words and symbols (`tokens.words`), `log_ranks` the log of
    each token's rank in the vocabulary (rare tokens have high ranks).
    """
    size = max(len(text), 1)
    # Bytes above 127 stand for every character that ASCII lacks.
    raw = np.frombuffer(text.encode("latin-1", "replace"), np.uint8)
    shares = np.bincount(_CLASS[raw], minlength=_SHARES + 1)[1:].tolist()
    lines = text.split("\n")
    lengths = [len(word) for word in found]
    letters = [n for n, word in zip(lengths, found, strict=True) if word[0].isalpha()]
    count = max(len(letters), 1)
    numbers = sum(word[0].isdigit() for word in found)
    sentences = text.count(". ") + text.count("! ") + text.count("? ")
    pieces = max(len(log_ranks), 1)
    mean = float(log_ranks.sum()) / pieces
    square = float(np.einsum("i,i", log_ranks, log_ranks)) / pieces
    questions = text.count("?")
    counted = np.log1p([
        len(text), len(found), len(lines), max(map(len, lines)), sentences, numbers,
    ]).tolist()  # fmt: skip
    return [
        *counted,
        sum(letters) / count,
        sum(n >= _LONG for n in letters) / count,
        len(set(found)) / max(len(found), 1),
        len(log_ranks) / max(len(found), 1),
        mean,
        max(square - mean * mean, 0.0) ** 0.5,
        float(log_ranks.max()) if len(log_ranks) else 0.0,
        *(share / size for share in shares),
        min(questions, 5),
        float(text.rstrip().endswith("?")),
    ]
