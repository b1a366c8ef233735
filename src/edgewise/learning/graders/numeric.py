"""Grader `numeric`: one number, however it is written."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

from msgspec import Struct

from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.numbers import Number, in_words, joined, listed, numbers_in
from edgewise.learning.graders.wording import announced, boxed, emphasised, plain, spoken


class Numeric(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is `answer`, give or take `tolerance`.

    Read, in this order: what is boxed, what is announced as the answer, what alone is bold, the last number
    of the text. Several numbers where one is due are wrong, also where one of them is right.
    """

    grader: str = "numeric"
    answer: int | float
    tolerance: float = 0.0

    def problem(self) -> str | None:
        """Numbers that are none."""
        if not isfinite(self.answer):
            return "`answer` is not a finite number"
        return None if isfinite(self.tolerance) and self.tolerance >= 0 else "`tolerance` is not 0 or more"

    def grade(self, response: str) -> Grade:
        """Full marks for the number, none for another or for several."""
        found = number_of(response)
        if isinstance(found, str):
            return wrong(found)
        if abs(found - Fraction(str(self.answer))) <= Fraction(str(self.tolerance)):
            return right(f"It says {_written(found)}, which is right.")
        return wrong(f"It says {_written(found)} instead of {self.answer}.")

    def known_right(self) -> str:
        """The number in a sentence."""
        return f"The answer is {self.answer}."


NONE, SEVERAL = "It names no number.", "It names several numbers where one is due."


def number_of(response: str) -> Fraction | str:
    """The number that an answer comes down to, or a sentence that says why there is none."""
    said = joined(spoken(response))
    text = plain(said)
    for parts in (boxed(said), announced(text)):
        values = {_first(part) for part in parts} - {None}
        if values:
            return _only(values)
    bold = {number.value for part in emphasised(said) for number in numbers_in(part)}
    if len(bold) == 1:
        return bold.pop()
    return _last(text)


def _only(values: set[Fraction | str | None]) -> Fraction | str:
    value = values.pop()
    return SEVERAL if values or value is None else value


def _first(part: str) -> Fraction | str | None:
    """The number of an announcement: behind the last equals sign the first one."""
    part = part.rpartition("=")[2] if numbers_in(part.rpartition("=")[2]) else part
    numbers = numbers_in(part)
    if not numbers:
        return in_words(part)
    return SEVERAL if len(numbers) > 1 and listed(part, numbers[0], numbers[1]) else numbers[0].value


def _last(text: str) -> Fraction | str:
    numbers = numbers_in(text)
    if not numbers:
        value = in_words(text)
        return NONE if value is None else value
    return SEVERAL if _hedged(text, numbers) else numbers[-1].value


def _hedged(text: str, numbers: list[Number]) -> bool:
    """Whether the last number is one of a list, or still to be worked out with."""
    return len(numbers) > 1 and listed(text, numbers[-2], numbers[-1])


def _written(value: Fraction) -> str:
    """A number as a rationale says it."""
    if value.denominator == 1:
        return shown(str(value.numerator))
    try:
        return f"{float(value):.6g}"
    except OverflowError:  # beyond every fraction that a machine writes
        return shown(str(value))
