"""Grader `regex`: a pattern that the answer must match."""

from __future__ import annotations

import re

from msgspec import Struct

from edgewise.learning.graders.exact import unfenced
from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.matching import TIMEOUT_S, matches

LONGEST = 20_000  # characters of an answer that a pattern is tried on


class Regex(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is what `pattern` matches: the whole answer, or with `search` any part of it.

    The pattern is Python's, `ignore_case` as there. Blanks and a fence around the answer do not count. It
    runs in a process of its own, which is ended after a second: nobody has judged an answer for which that
    was too short.
    """

    grader: str = "regex"
    pattern: str
    search: bool = False
    ignore_case: bool = False

    def problem(self) -> str | None:
        """A pattern that is none."""
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            return f"`pattern` is no regular expression: {error}"
        return None

    def grade(self, response: str) -> Grade:
        """Full marks for a match."""
        text = unfenced(response).strip()
        if len(text) > LONGEST:
            return wrong(f"It is longer than {LONGEST:,} characters.")
        flags = re.IGNORECASE if self.ignore_case else 0
        found = matches(self.pattern, int(flags), text, search=self.search)
        if found is None:
            return Grade(None, f"The pattern took longer than {TIMEOUT_S:g} s on it.")
        return (
            right("It matches.") if found else wrong(f"{shown(text)} does not match {shown(self.pattern)}.")
        )

    def known_right(self) -> None:
        """A pattern does not say what it matches."""
