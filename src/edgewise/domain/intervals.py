"""Intervals of what was counted."""

from __future__ import annotations

from math import sqrt
from typing import Final

Z95: Final = 1.959964


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count`, which is at least 1.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    """
    centre = share + Z95**2 / (2 * count)
    half = Z95 * sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    scale = 1 + Z95**2 / count
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
