"""A JSON file's list, one element at a time: a chat export may be larger than memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

PIECE = 1 << 20
LONGEST = 64 << 20  # characters of one element; whatever is longer is no conversation
SPACE = " \t\r\n"


def elements(text: TextIOWrapper, name: str) -> Iterator[Any]:
    """The elements of the list that a file is; a file that is one object is its only element.

    Raises `TableError` where the file is no JSON: what follows the damage cannot be told apart.
    """
    source = _Source(text, name)
    source.skip()
    listed = source.next() == "["
    if listed:
        source.take("[")
        if source.next() == "]":
            source.take("]")
            return
    number = 1
    while True:
        yield source.value(number)
        if not listed or source.next() == "]":
            break
        source.take(",")
        number += 1
    if listed:
        source.take("]")
    if source.next():
        raise TableError(f"{name} goes on after its JSON has ended; it should be one list.")


class _Source:
    """Text that is read as far as it is needed."""

    def __init__(self, text: TextIOWrapper, name: str) -> None:
        self._text, self._name = text, name
        self._held, self._place, self._ended = "", 0, False
        self._decode = json.JSONDecoder().raw_decode

    def next(self) -> str:
        """The next character that is no white space, or nothing at the end."""
        self.skip()
        return self._held[self._place : self._place + 1]

    def skip(self) -> None:
        """Go past white space."""
        while True:
            while self._place < len(self._held) and self._held[self._place] in SPACE:
                self._place += 1
            if self._place < len(self._held) or not self._more(PIECE):
                return

    def take(self, wanted: str) -> None:
        """Go past one character. Raises `TableError` where another one stands."""
        if self.next() != wanted:
            raise TableError(f"{self._name} is no JSON list: where a '{wanted}' is due, there is another.")
        self._place += 1

    def value(self, number: int) -> Any:
        """The next element, of which more is read until it is whole."""
        self.skip()
        size = PIECE
        while True:
            try:
                found, self._place = self._decode(self._held, self._place)
            except RecursionError:
                raise TableError(f"{self._name}, element {number} is nested too deeply.") from None
            except ValueError:
                if len(self._held) - self._place > LONGEST or not self._more(size):
                    raise TableError(f"{self._name}, element {number} is not JSON.") from None
                size *= 2  # a long element is not decoded again for each piece
            else:
                return found

    def _more(self, size: int) -> bool:
        """Read on, and forget what was used."""
        piece = "" if self._ended else self._text.read(size)
        self._ended = not piece
        self._held = self._held[self._place :] + piece
        self._place = 0
        return bool(piece)
