"""Escalation by word, by label and by what a request says of itself: an operator's rules, in plain words."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import normalize

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_ENDING = "*"
_LETTER = r"[^\W_]"  # or a digit: before one of these a word does not begin
_GOES_ON = r"(?:[^\W_]|[\u0300-\u036f])"  # the same, or a mark on the letter before it: there no word ends
# Scripts that put no spaces between words, or endings right behind them: there a word is wherever it stands.
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'"})


class Escalation(Struct, frozen=True):
    """One rule, called `name`. It applies where everything holds that it names.

    One of `words` stands in the text: as a whole word or phrase, whatever its case; one that ends in `*` may
    go on. The label that the edge gave is one of `labels`. The request's metadata has every pair of `when`.
    """

    name: str
    words: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    when: dict[str, str] = {}

    def applies(self, text: str, label: str | None = None, metadata: Mapping[str, str] | None = None) -> bool:
        """Whether this text, with this label, is to be escalated. A rule that names nothing never applies."""
        if not (self.words or self.labels or self.when):
            return False
        said = metadata or {}
        if any(said.get(key) != value for key, value in self.when.items()):
            return False
        if self.labels and (label is None or folded(label) not in map(folded, self.labels)):
            return False
        return not self.words or _pattern(self.words).search(folded(text)) is not None


def folded(text: str) -> str:
    """A text without its case, its widths and its ways to write an apostrophe."""
    return normalize("NFKC", normalize("NFKC", text).casefold()).translate(_APOSTROPHES)


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_alone, words)))


def _alone(word: str) -> str:
    """A word or a phrase as a pattern over folded text: no part of a longer word; any white space inside."""
    plain = folded(word.removesuffix(ANY_ENDING)).split()
    first, last = plain[0][0], plain[-1][-1]
    before = "" if _NO_SPACES.match(first) else f"(?<!{_LETTER})" if first.isalnum() else ""
    ends = word.endswith(ANY_ENDING) or _NO_SPACES.match(last) or not last.isalnum()
    after = "" if ends else f"(?!{_GOES_ON})"
    return before + r"\s+".join(map(re.escape, plain)) + after
