"""What a grader says of an answer."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Grade(NamedTuple):
    """How good an answer is, 0 to 1, and why. `quality` is None where nobody judged it: that is never a 0."""

    quality: float | None
    rationale: str


def right(rationale: str) -> Grade:
    """Full marks."""
    return Grade(1.0, rationale)


def wrong(rationale: str) -> Grade:
    """None at all."""
    return Grade(0.0, rationale)


class Grader(Protocol):
    """One `check` of a prompt: what is right, and how an answer is read.

    `problem` says what is wrong with the check itself, None where nothing is; `known_right` is an answer
    that gets full marks, or None where only a pattern or tests are known.
    """

    def problem(self) -> str | None:
        """The end of a sentence that says why the check is none."""
        ...

    def grade(self, response: str) -> Grade:
        """The grade of one answer."""
        ...

    def known_right(self) -> str | None:
        """A right answer, as a model would write it."""
        ...


def shown(text: str, most: int = 60) -> str:
    """A piece of an answer as a rationale quotes it."""
    line = " ".join(text.split())
    return f"'{line}'" if len(line) <= most else f"'{line[:most]}…'"
