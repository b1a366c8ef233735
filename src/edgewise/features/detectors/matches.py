"""What a rule says: which rule, and where. And the words that make a bare number mean something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE, AFTER = 60, 24  # how far a word may stand from the number that it explains


class Match(NamedTuple):
    """Something that `rule` found from `start` to before `end`."""

    rule: str
    start: int
    end: int


class Prose(NamedTuple):
    """A text, and the same in lower case at the same places."""

    text: str
    folded: str

    @classmethod
    def of(cls, text: str) -> Prose:
        """Lower case as far as it keeps every place: a few letters have a longer one."""
        folded = text.lower()
        if len(folded) != len(text):
            folded = "".join([low if len(low := letter.lower()) == 1 else letter for letter in text])
        return cls(text, folded)


@dataclass(frozen=True, slots=True)
class Words:
    """Beginnings of words, in lower case, as they stand near a number that they explain.

    Plain searches for each take a tenth of what one pattern for all of them does.
    """

    beginnings: tuple[str, ...]

    def are_in(self, prose: Prose) -> bool:
        """Whether the text has any of them at all: asked once a text, so that most numbers need no look."""
        folded = prose.folded
        return any(word in folded for word in self.beginnings)

    def are_near(self, prose: Prose, start: int, end: int) -> bool:
        """Whether one stands shortly before a place, or right after it."""
        window = prose.folded[max(0, start - BEFORE) : end + AFTER]
        return any(True for word in self.beginnings for _ in _placed(window, word))


def _placed(window: str, word: str) -> Iterator[int]:
    """Where a word of the window begins like this."""
    at = window.find(word)
    while at >= 0:
        if at == 0 or not window[at - 1].isalpha() or not word.isascii():
            yield at
        at = window.find(word, at + 1)
