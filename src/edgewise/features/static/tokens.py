"""WordPiece tokens without a tokenizer library.

The rules are those of BERT's uncased tokenizer (Devlin et al. 2019,
https://arxiv.org/abs/1810.04805): lower case, accents stripped, punctuation
and CJK characters alone, then greedy longest match first; one difference:
symbols outside ASCII ("°", "→") stand alone too, for the vocabulary has them
as words, not as the inside of words. Words are looked
up whole first and every split is remembered, so a prompt of plain English
costs one regular expression and one dictionary look-up a word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 20_000
"""Text beyond its first and last half of this many characters is not read."""
MAX_WORD: Final = 64
_MEMORY: Final = 100_000

_ASCII: Final = re.compile(r"[0-9a-z]+|[!-/:-@\[-`{-~]")
_CJK: Final = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ebef]",
)


def clip(text: str, limit: int = MAX_CHARACTERS) -> str:
    """The text itself, or its beginning and end where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} {text[-half:]}"


def words(text: str) -> list[str]:
    """Lower-case words and single symbols of `text`, in order."""
    if text.isascii():
        return _ASCII.findall(text.lower())
    plain = unicodedata.normalize("NFD", _CJK.sub(r" \g<0> ", text).lower())
    out: list[str] = []
    word: list[str] = []
    for character in plain:
        category = unicodedata.category(character)
        if category[0] in "LN" or category == "Mc":
            word.append(character)
            continue
        if category in {"Mn", "Cc", "Cf", "Cs", "Co"} and not character.isspace():
            continue
        if word:
            out.append("".join(word))
            word = []
        if category[0] in "PS":
            out.append(character)
    if word:
        out.append("".join(word))
    return out


class WordPieces:
    """Text → token numbers of one vocabulary (`pieces[i]` has number `i`)."""

    __slots__ = ("_known", "_unknown", "_vocabulary")

    def __init__(self, pieces: list[str], unknown: str = "[UNK]") -> None:
        self._vocabulary = {piece: number for number, piece in enumerate(pieces)}
        self._unknown = (self._vocabulary[unknown],)
        self._known: dict[str, tuple[int, ...]] = {
            piece: (number,) for piece, number in self._vocabulary.items() if not piece.startswith("##")
        }

    def __call__(self, text: str) -> list[int]:
        """Token numbers of the (clipped) text, without the special tokens."""
        return self.of_words(words(clip(text)))

    def of_words(self, found: list[str]) -> list[int]:
        """Token numbers of words that `words` has found."""
        known = self._known
        out: list[int] = []
        for word in found:
            numbers = known.get(word)
            out += self._split(word) if numbers is None else numbers
        return out

    def _split(self, word: str) -> tuple[int, ...]:
        numbers = self._unknown if len(word) > MAX_WORD else self._greedy(word)
        if len(self._known) < _MEMORY:
            self._known[word] = numbers
        return numbers

    def _greedy(self, word: str) -> tuple[int, ...]:
        numbers: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._vocabulary.get(prefix + word[start:end])
                if number is not None:
                    break
            else:
                return self._unknown
            numbers.append(number)
            start = end
        return tuple(numbers)
