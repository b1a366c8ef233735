"""Placeholders for private values: put into a body, taken out of its answer, whole or in pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgewise.domain.requests import Finding

ARGUMENTS = "arguments"  # the key under which JSON stands inside a JSON text
NAME = re.compile(r"[^A-Za-z0-9]+")
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Veil:
    """A placeholder such as `[EMAIL_1]` for each value, the same for the same value.

    A placeholder stands nowhere in `taken` (the texts that are to be veiled), so that what comes back in its
    place was put there. It begins with the only `[` in it: of a text that breaks off, only what follows the
    last `[` can be the beginning of one.
    """

    def __init__(self, findings: Iterable[Finding], taken: str) -> None:
        self._names: dict[str, str] = {}
        counts: dict[str, int] = {}
        for found in findings:
            if not found.value or found.value in self._names:
                continue
            kind = NAME.sub("_", found.rule).upper()
            number = counts.get(kind, 0) + 1
            while f"[{kind}_{number}]" in taken:
                number += 1
            counts[kind] = number
            self._names[found.value] = f"[{kind}_{number}]"
        self._values = {name: value for value, name in self._names.items()}
        self._hide = _any_of(self._names)
        self._show = _any_of(self._values)

    def hide(self, text: str) -> str:
        """The text with every value replaced; of values inside each other the longest."""
        return self._hide.sub(lambda found: self._names[found[0]], text)

    def show(self, text: str) -> str:
        """The text with every placeholder replaced by its value."""
        return self._show.sub(lambda found: self._values[found[0]], text)

    def show_quoted(self, text: str) -> str:
        """The same for a text that is JSON itself: values go in as JSON writes them inside quotes."""
        return self._show.sub(lambda found: _encode(self._values[found[0]])[1:-1].decode(), text)

    def held(self, text: str) -> int:
        """How many characters at the end may be the beginning of a placeholder, and must wait for more."""
        at = text.rfind("[")
        if at < 0:
            return 0
        rest = text[at:]
        return len(rest) if any(name.startswith(rest) and name != rest for name in self._values) else 0

    def hide_in(self, value: Any) -> Any:
        """A JSON value with every text in it veiled, keys included."""
        return _walked(value, self.hide, self._hide_arguments)

    def show_in(self, value: Any) -> Any:
        """A JSON value with every text in it unveiled."""
        return _walked(value, self.show, self.show_quoted)

    def shows(self, body: bytes) -> bool:
        """Whether any placeholder stands in these bytes: mostly none does, and nothing need be decoded."""
        return any(name.encode() in body for name in self._values)

    def _hide_arguments(self, text: str) -> str:
        """A tool's arguments; a bare number becomes a text, since a placeholder is no JSON by itself."""
        hidden = self.hide(text)
        if hidden == text or _is_json(hidden) or not _is_json(text):
            return hidden
        return _encode(_walked(_decode(text), self.hide, self.hide, numbers=True)).decode()


def _walked(
    value: Any, change: Callable[[str], str], nested: Callable[[str], str], *, numbers: bool = False
) -> Any:
    if isinstance(value, str):
        return change(value)
    if is_object(value):
        return {
            change(key): nested(inner)
            if key == ARGUMENTS and isinstance(inner, str)
            else _walked(inner, change, nested, numbers=numbers)
            for key, inner in value.items()
        }
    if is_list(value):
        return [_walked(inner, change, nested, numbers=numbers) for inner in value]
    if numbers and isinstance(value, int | float) and (changed := change(str(value))) != str(value):
        return changed
    return value


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """A pattern for these texts, the longest first; without any, one that matches nothing."""
    listed = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, listed)) if listed else r"(?!)")


def _is_json(text: str) -> bool:
    try:
        _decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True
