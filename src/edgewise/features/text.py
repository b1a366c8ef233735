"""Plain statistics of a prompt, cheap enough for every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.requests import Features
from edgewise.features.lexicons import EMOTION, ESCALATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.requests import Request

VERSION = "text-1"
REACH = 1024
_TERMINATORS = ".!?"
_CODE = "{}[]<>=;_\\|#$@`~^&/"
# Curly apostrophes and quotes, dashes, the ellipsis and the space that does not break.
_TYPOGRAPHY = (
    ("\u2019", "'"),
    ("\u2018", "'"),
    ("\u201c", " "),
    ("\u201d", " "),
    ("\u2013", " "),
    ("\u2014", " "),
    ("\u2026", "."),
    ("\u00a0", " "),
)


def _fold_table() -> bytes:
    """A table for `bytes.translate` that leaves words, and turns all else into kinds of white space.

    Letters become lower case and digits 0. The end of a sentence becomes a form feed, a symbol of
    program text a vertical tab, other punctuation a space: all three part words for `bytes.split`,
    and yet they can be counted apart. Bytes over 127 belong to letters of other scripts.
    """
    table = bytearray(range(256))
    for code in range(128):
        character = chr(code)
        if character.isalpha():
            table[code] = ord(character.lower())
        elif character.isdigit():
            table[code] = ord("0")
        elif character in _TERMINATORS:
            table[code] = ord("\f")
        elif character in _CODE:
            table[code] = ord("\v")
        elif character != "\n":
            table[code] = ord(" ")
    return bytes(table)


_FOLD = _fold_table()
# In this order: trailing blanks, blank lines, bullets and indents, ends before a plain line break.
_LINE_BREAKS = ((b" \n", b"\n"), (b"\n\n", b"\f\n"), (b"\n ", b"\f "), (b"\f\n", b"\f "))


class TextFeatures:
    """Describes a request by ten numbers of its text. The words and sentences of English; no other language.

    `emotion` and `escalation` are the words to look for: whole words, without regard to case, each counted
    once however often it is said. A sentence ends at . ! or ? before white space, at a blank line, and at
    a line break before a bullet or an indented line. Of a prompt longer than twice `reach` characters only
    that many at either end are read, so that the cost is bounded. Raises ValueError for a `reach` below 1
    and for a word that is not one.
    """

    version = VERSION

    def __init__(
        self,
        *,
        emotion: Iterable[str] = EMOTION,
        escalation: Iterable[str] = ESCALATION,
        reach: int = REACH,
    ) -> None:
        if reach < 1:
            raise ValueError(f"reach must be at least 1 character, got {reach}")
        self._reach = reach
        self._emotion = _lexicon("emotion", emotion)
        self._lexicon = self._emotion | _lexicon("escalation", escalation)

    async def describe(self, request: Request) -> Features:
        """The numbers of `measure` for the prompt, and the length of the whole conversation."""
        named = self.measure(request.prompt)
        named["conversation_characters"] = len(request.text)
        return Features(named, None, VERSION)

    def measure(self, prompt: str) -> dict[str, float]:
        """Counts and shares of one text. `characters` is its true length; the rest is of what was read."""
        length = len(prompt)
        read = prompt if length <= 2 * self._reach else _ends(prompt, self._reach)
        folded = _folded(read)
        words = folded.split()
        total = len(words)
        inner = folded.strip()
        if "\n" in read:
            inner = _break_lines(inner)
        # . ! or ? before a space, so not inside 3.14 or example.com; what comes last needs no mark.
        sentences = min(inner.count(b"\f ") + 1, total)
        hits = self._lexicon.intersection(words)
        emotion = len(hits & self._emotion) if hits else 0
        size = len(read) or 1
        return {
            "characters": length,
            "words": total,
            "sentences": sentences,
            "words_per_sentence": total / (sentences or 1),
            "emotion_words": emotion,
            "escalation_words": len(hits) - emotion,
            "digit_share": folded.count(b"0") / size,
            "code_share": folded.count(b"\v") / size,
            "question_marks": read.count("?"),
        }


def _folded(text: str) -> bytes:
    """The text's words in lower case, parted by the white space of `_fold_table`.

    Apostrophes go, so that "don't" is one word. A lone surrogate (JSON can carry one) is no reason to fail.
    """
    if text.isascii():
        return text.encode().translate(_FOLD, b"'")
    text = text.lower()
    for mark, plain in _TYPOGRAPHY:
        text = text.replace(mark, plain)
    return text.encode("utf-8", "surrogatepass").translate(_FOLD, b"'")


def _break_lines(folded: bytes) -> bytes:
    """Turn the line breaks that end a sentence into ends: a blank line, one before a bullet or an indent."""
    for given, meant in _LINE_BREAKS:
        folded = folded.replace(given, meant)
    return folded


def _ends(text: str, reach: int) -> str:
    """The first and the last `reach` characters, parted, less the words that the cuts fall into."""
    head, tail = text[:reach], text[-reach:]
    return f"{head[: head.rfind(' ')]}. {tail[tail.find(' ') + 1 :]}"


def _lexicon(name: str, words: Iterable[str]) -> frozenset[bytes]:
    """The words as `_folded` would leave them."""
    folded: set[bytes] = set()
    for word in words:
        pieces = _folded(word).split()
        if len(pieces) != 1 or b"0" in pieces[0]:
            raise ValueError(f"{name} must hold single words without digits, got {word!r}")
        folded.add(pieces[0])
    return frozenset(folded)
