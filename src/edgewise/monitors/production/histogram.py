"""Quantiles in bounded memory: a histogram whose buckets grow by a fixed ratio.

After Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
guarantees" (VLDB 2019), with the range cut to what a request can take.
"""

from __future__ import annotations

from math import ceil, exp, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR: Final = 0.01  # of a quantile, relative
RATIO: Final = (1.0 + ERROR) / (1.0 - ERROR)
SCALE: Final = 1.0 / log(RATIO)
LEAST_S: Final = 1e-5
MOST_S: Final = 86_400.0
LOWEST: Final = ceil(log(LEAST_S) * SCALE)
HIGHEST: Final = ceil(log(MOST_S) * SCALE)  # 1,145 buckets in all


def place_of(value: float) -> int:
    """The bucket of a value; what is too small or too large goes to the outermost ones."""
    if not value > LEAST_S:
        return LOWEST
    return HIGHEST if value >= MOST_S else ceil(log(value) * SCALE)


def value_at(place: int) -> float:
    """The value that is never further than `ERROR` from any in its bucket."""
    return 2.0 * exp(place / SCALE) / (RATIO + 1.0)


def quantile(places: Mapping[int, int], share: float) -> float | None:
    """The value below which `share` (0 to 1) of them lie, to within `ERROR`; None where there is none."""
    total = sum(places.values())
    if not total:
        return None
    rank = share * (total - 1)
    seen = 0
    for place in sorted(places):
        seen += places[place]
        if seen > rank:
            return value_at(place)
    return value_at(max(places))


def log_moments(places: Mapping[int, int]) -> tuple[int, float, float]:
    """How many there are, and mean and variance of their natural logarithms."""
    total = sum(places.values())
    if not total:
        return 0, 0.0, 0.0
    mean = sum(log(value_at(place)) * count for place, count in places.items()) / total
    squares = sum((log(value_at(place)) - mean) ** 2 * count for place, count in places.items())
    return total, mean, squares / max(1, total - 1)
