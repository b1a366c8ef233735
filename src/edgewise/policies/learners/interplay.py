"""What an answer looks like beside its prompt: the features of the second stage.

All are general: how long and how broken off the answer is, whether its own
equations hold, which of the prompt's numbers it uses, how much it hedges and
repeats itself. None knows a benchmark's answer format.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES: Final = (
    "answer_per_prompt",
    "words_shared",
    "words_new",
    "numbers",
    "prompt_numbers",
    "prompt_numbers_used",
    "prompt_numbers_unused",
    "numbers_from_nowhere",
    "largest_number",
    "last_number_size",
    "last_number_whole",
    "last_number_in_prompt",
    "last_number_said_before",
    "last_number_negative",
    "equations",
    "equations_wrong",
    "equations_wrong_share",
    "longest_decimal",
    "steps",
    "hedges",
    "refusals",
    "repeated_lines",
    "repeated_phrases",
    "asks_back",
    "ends_cleanly",
    "conclusion_words",
)
WIDTH: Final = len(NAMES)

_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_RIGHT: Final = re.compile(r"=\s*\$?\s*(-?\d[\d,]*(?:\.\d+)?)")
_SUM: Final = re.compile(r"\d[\d.,$ ()%]*[+\-*/x\u00d7\u00f7]")
_LEFT: Final = frozenset("-0123456789.,$ ()+*/x\u00d7\u00f7%")
_LONGEST: Final = 200
_TERM: Final = re.compile(r"\d+(?:\.\d+)?|[-+*/()]")
_HEDGE: Final = re.compile(
    r"\b(?:maybe|perhaps|might|possibly|probably|assum\w+|approximately|about|roughly|unclear"
    r"|not sure|however|but|actually|wait|seems?|appears?|likely|if we|let's)\b",
    re.IGNORECASE,
)
_REFUSAL: Final = re.compile(
    r"\b(?:cannot|can't|unable|impossible|not possible|not enough|don't know|i'm sorry|mistake"
    r"|incorrect|error|contradict\w*|doesn't make sense)\b",
    re.IGNORECASE,
)
_CONCLUSION: Final = re.compile(r"\b(?:so|therefore|thus|hence|in total|finally|altogether)\b", re.IGNORECASE)
_MOST: Final = 4_000
_FEWEST_TERMS: Final = 3
_MOST_TERMS: Final = 40
_EXACT: Final = 1e15  # above this every float is whole
_CENT: Final = 0.01


def describe(prompt: str, answer: str) -> list[float]:
    """`WIDTH` numbers about an answer and its prompt, in the order of `NAMES`."""
    prompt, answer = prompt[-_MOST:], answer[:_MOST]
    asked, said = prompt.lower().split(), answer.lower().split()
    known, used = set(asked), set(said)
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    phrases = list(zip(said, said[1:], said[2:], said[3:], strict=False))
    words = max(len(said), 1)
    return [
        min(len(said) / max(len(asked), 1), 20.0),
        len(known & used) / max(len(known), 1),
        len(used - known) / max(len(used), 1),
        *_numbers(prompt, answer),
        *_equations(answer),
        max((len(n.partition(".")[2]) for n in _NUMBER.findall(answer)), default=0),
        len(lines),
        len(_HEDGE.findall(answer)) / words * 20,
        min(len(_REFUSAL.findall(answer)), 5),
        1.0 - len(set(lines)) / max(len(lines), 1),
        1.0 - len(set(phrases)) / max(len(phrases), 1),
        min(answer.count("?"), 5),
        float(answer.rstrip()[-1:] in set(".!?)]}\"'") or answer.rstrip()[-1:].isdigit()),
        len(_CONCLUSION.findall(answer)) / words * 20,
    ]


def _numbers(prompt: str, answer: str) -> list[float]:
    asked = [float(n.replace(",", "")) for n in _NUMBER.findall(prompt)]
    said = [float(n.replace(",", "")) for n in _NUMBER.findall(answer)]
    given, found = set(asked), set(said)
    last = said[-1] if said else 0.0
    tail = _NUMBER.findall(answer)[-1:]
    sign = answer[: answer.rfind(tail[0])].rstrip("$ ")[-1:] if tail else ""
    return [
        min(len(said), 100) ** 0.5,
        min(len(asked), 50) ** 0.5,
        len(given & found) / max(len(given), 1),
        min(len(given - found), 10),
        _log(len(found - given)),
        _log(max(said, default=0.0)),
        _log(last),
        float(last == int(last) if last < _EXACT else True),
        float(last in given),
        min(said[:-1].count(last), 5),
        float(sign == "-"),
    ]


def _log(value: float) -> float:
    """Magnitude in digits, for numbers of any size."""
    return min(len(f"{value:.0f}"), 20) + min(value, 10.0) / 10.0


def _equations(answer: str) -> list[float]:
    """How many equations stand in the answer, and how many do not hold."""
    checked = [_holds(left, right) for left, right in islice(_sides(answer), 50)]
    known = [ok for ok in checked if ok is not None]
    wrong = known.count(False)
    return [len(known) ** 0.5, min(wrong, 5), wrong / max(len(known), 1)]


def _sides(answer: str) -> Iterator[tuple[str, str]]:
    """Both sides of each equation; read backwards from "=", so that the time is linear."""
    last = 0
    for found in _RIGHT.finditer(answer):
        stop = len(answer[last : found.start()].rstrip()) + last
        start = stop
        while start > max(last, stop - _LONGEST) and answer[start - 1] in _LEFT:
            start -= 1
        if _SUM.search(answer, start, stop):
            last = found.end()
            yield answer[start:stop], found[1]


def _holds(left: str, right: str) -> bool | None:
    """Whether the left side comes to the right one; None where it can't be read."""
    text = left.replace(",", "").replace("$", "").replace("x", "*").replace("\u00d7", "*")
    text = text.replace("\u00f7", "/").replace("%", "/100")
    terms = _TERM.findall(text)
    if not _FEWEST_TERMS <= len(terms) <= _MOST_TERMS:
        return None
    try:
        value, rest = _sum(terms)
    except (ValueError, IndexError, ZeroDivisionError, RecursionError):
        return None
    if rest:
        return None
    goal = float(right.replace(",", ""))
    return abs(value - goal) <= 0.006 * max(1.0, abs(goal)) or abs(value * 100 - goal) < _CENT


def _sum(terms: list[str]) -> tuple[float, list[str]]:
    value, rest = _product(terms)
    while rest and rest[0] in "+-":
        other, after = _product(rest[1:])
        value = value + other if rest[0] == "+" else value - other
        rest = after
    return value, rest


def _product(terms: list[str]) -> tuple[float, list[str]]:
    value, rest = _factor(terms)
    while rest and rest[0] in "*/":
        other, after = _factor(rest[1:])
        value = value * other if rest[0] == "*" else value / other
        rest = after
    return value, rest


def _factor(terms: list[str]) -> tuple[float, list[str]]:
    if terms[0] == "(":
        value, rest = _sum(terms[1:])
        if rest[0] != ")":
            raise ValueError
        return value, rest[1:]
    if terms[0] == "-":
        value, rest = _factor(terms[1:])
        return -value, rest
    return float(terms[0]), terms[1:]
