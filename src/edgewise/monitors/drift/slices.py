"""Which part of the traffic got worse: traits of a request, and a test of each against the rest."""

from __future__ import annotations

import re
from collections import defaultdict
from math import erfc, sqrt
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.outcomes.comparing import Compared

Traits = tuple[tuple[str, str], ...]

FEWEST: Final = 20  # on each side
LEVEL: Final = 0.01
SHORT, LONG = 50, 500  # tokens
CODE: Final = re.compile(r"```|\bdef \w+\(|\bfunction\b|\bclass \w+|[{};]\s*\n|</\w+>|\bSELECT\b.+\bFROM\b")
NUMBERS: Final = re.compile(r"\d.*\d.*\d", re.DOTALL)
FOREIGN: Final = 0.2  # of the characters


class Slice(Struct, frozen=True):
    """A part of the traffic: `trait` with its `value` ("prompt": "with code"), and how it compares.

    `inside` and `outside` are means of what is compared, over `samples` rows and over the rest; `share` is
    its part of all rows.
    """

    trait: str
    value: str
    samples: int
    share: float
    inside: float
    outside: float
    p_value: float

    @property
    def words(self) -> str:
        """The part in words; a key's name stays on this machine, so it is not among them."""
        return {"prompt": f"prompts {self.value}", "policy": f"the policy {self.value}"}.get(
            self.trait, "one client's key"
        )


def traits_of(row: Compared) -> Traits:
    """What is said of a request: how long it is, what it is made of, who decided, whose key."""
    found = [("policy", row.policy)]
    text = row.prompt
    tokens = row.input_tokens if row.input_tokens is not None else len(text or "") // 4
    if tokens:
        length = "of under 50 tokens" if tokens < SHORT else "of 50 to 500 tokens"
        found.append(("prompt", "of over 500 tokens" if tokens > LONG else length))
    if text is not None:
        found += [("prompt", what) for what, is_so in _kinds(text) if is_so]
    if row.far:
        found.append(("prompt", "unlike any that was learned from"))
    if row.key is not None:
        found.append(("key", row.key))
    return tuple(found)


def _kinds(text: str) -> tuple[tuple[str, bool], ...]:
    odd = 0 if text.isascii() else sum(not c.isascii() and c.isalpha() for c in text)
    return (
        ("with code", CODE.search(text) is not None),
        ("with numbers", NUMBERS.search(text) is not None),
        ("in another script", odd > FOREIGN * len(text)),
        ("that end in a question", text.rstrip().endswith("?")),
        ("of several lines", "\n" in text.strip()),
    )


def worst_slice(rows: Iterable[tuple[Traits, float]]) -> Slice | None:
    """The part whose numbers are highest against the rest, by Welch's test; None where none stands out.

    A part stands out where its p-value is below 0.01 over the number of parts (Bonferroni).
    """
    all_rows = list(rows)
    parts: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for traits, number in all_rows:
        for one in traits:
            parts[one].append(number)
    count, summed, squares = _moments([number for _, number in all_rows])
    found: list[Slice] = []
    tested = 0
    for (trait, value), numbers in parts.items():
        n, own, own_squares = _moments(numbers)
        rest = count - n
        if n < FEWEST or rest < FEWEST:
            continue
        tested += 1
        inside, outside = own / n, (summed - own) / rest
        error = sqrt(
            _variance(n, own, own_squares) / n
            + _variance(rest, summed - own, squares - own_squares) / rest
        )  # fmt: skip
        if inside > outside and error > 0.0:
            chance = erfc((inside - outside) / error / sqrt(2.0)) / 2.0
            found.append(Slice(trait, value, n, n / count, inside, outside, chance))
    best = min(found, key=lambda each: each.p_value, default=None)
    return best if best is not None and best.p_value < LEVEL / tested else None


def _moments(numbers: list[float]) -> tuple[int, float, float]:
    return len(numbers), sum(numbers), sum(number * number for number in numbers)


def _variance(count: int, summed: float, squares: float) -> float:
    """Never quite zero: twenty that agree are not sure."""
    return max(squares / count - (summed / count) ** 2, 0.0) + 1.0 / (count * count)
