"""The numbers that a text holds, as people write them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from edgewise.learning.graders.wording import negated

if TYPE_CHECKING:
    from collections.abc import Iterator

# 1,234.5 and 1'234 and 1 234 (narrow blanks); 1.234,5; 12,5; 12.5; .5; of at most sixty digits each.
BODY = (
    r"(?:\d{1,3}(?:(?P<apart>[,'_])\d{3})(?:(?P=apart)\d{3}){0,15}(?:\.\d{1,60})?(?!\d)"
    r"|\d{1,3}(?:\.\d{3}){1,15},\d{1,60}(?!\d)|\d{1,3}(?:\.\d{3}){2,15}(?!\d)"
    r"|\d{1,60},\d{1,60}(?![\d]|,\d)|\d{1,60}(?:\.\d{1,60})?(?!\d)|\.\d{1,60}(?!\d))"
)
NUMBER = re.compile(
    r"(?<![\w])(?<!\d\.)(?:(?P<minus>minus\s|-\s?)|\+\s?)?(?:[$€£]\s?)?(?P<under>-)?"
    rf"(?P<body>{BODY})"
    r"(?:\s?(?:\u00d7|x|\*|\\times|\\cdot)\s?10\^\{?(?P<power>-?\d{1,3})\}?|e(?P<exponent>[+-]?\d{1,3})(?!\w))?"
    r"(?:(?:\s(?P<over>\d{1,9}))?\s?/\s?(?P<by>\d{1,9})(?![\d/]))?"
    r"(?:\s?(?P<scale>thousand|million|billion)\b)?",
    re.IGNORECASE,
)
NARROW = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
LISTING = re.compile(r"(?:[,;/|]|\bor\b|\band\b|\bto\b|-|\u2013|\n|\s)+", re.IGNORECASE)
OPERATION = re.compile(r"\s*[-+*/x\u00d7\u00f7^]\s*|\s*(?:plus|minus|times|divided by)\s*", re.IGNORECASE)
UNITS = re.compile(r"^\s*(?:%|°\s?[CF]?|[A-Za-z]{1,12})?\s*")
UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
WORDS = {word: number for number, word in enumerate(UP_TO_TWENTY)} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}


class Number(NamedTuple):
    """A number and where it stands."""

    value: Fraction
    start: int
    end: int


def joined(text: str) -> str:
    """The text with narrow blanks between groups of digits taken out. Before any normalisation."""
    return NARROW.sub("", text)


def numbers_in(text: str) -> list[Number]:
    """The numbers of a plain text, in order; without those that are said not to be it."""
    return list(_found(text))


def _found(text: str) -> Iterator[Number]:
    for match in NUMBER.finditer(text):
        value = _value(match)
        if value is not None and not negated(text, match.start()):
            yield Number(value, match.start(), match.end())


def _value(match: re.Match[str]) -> Fraction | None:
    body = match["body"]
    if match["apart"]:
        body = body.replace(match["apart"], "")
    elif "," in body:
        body = body.replace(".", "").replace(",", ".")
    elif body.count(".") > 1:
        body = body.replace(".", "")
    value = Fraction(body)
    value *= Fraction(10) ** int(match["power"] or match["exponent"] or 0)
    if match["by"]:
        if int(match["by"]) == 0:
            return None
        part = Fraction(int(match["over"] or 0), int(match["by"]))
        value = value + part if match["over"] else value / int(match["by"])
        if value.denominator == 1:
            return None  # a division that nobody worked out
    value *= SCALES.get((match["scale"] or "").lower(), 1)
    return -value if match["minus"] or match["under"] else value


def in_words(text: str) -> Fraction | None:
    """The number that a text of one or two words is: `five`, `twenty-one`."""
    words = text.casefold().strip(" .!").replace("-", " ").split()
    if len(words) == 1 and words[0] in WORDS:
        return Fraction(WORDS[words[0]])
    tens, ones = (WORDS.get(words[0], 0), WORDS.get(words[1], 0)) if len(words) == 2 else (0, 0)  # noqa: PLR2004 - tens and ones
    return Fraction(tens + ones) if tens in range(20, 91, 10) and 0 < ones < 10 else None  # noqa: PLR2004 - the same


def listed(text: str, one: Number, two: Number) -> bool:
    """Whether two neighbours stand in a list, or one of them in a sum that nobody worked out."""
    if one.value == two.value:
        return False
    between = text[one.end : two.start]
    return any(
        form.fullmatch(part) for part in (between, UNITS.sub("", between)) for form in (LISTING, OPERATION)
    )
