"""Exact bounds on a share, and on accuracy lost: they hold for every number of texts, however small."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

FOR_THE_LOST = 0.8  # of the doubt; losses are what decides, and gains are rare where models nearly agree
HALVINGS = 60


@lru_cache(maxsize=65_536)
def upper_bound(count: int, texts: int, doubt: float) -> float:
    """The largest share that `count` of `texts` leave likely: exceeded with probability `doubt` at most.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 1934.
    """
    if count >= texts:
        return 1.0
    low, high = count / texts, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(count, texts, middle) > doubt else (low, middle)
    return high


def lower_bound(count: int, texts: int, doubt: float) -> float:
    """The smallest share that `count` of `texts` leave likely."""
    return 1.0 - upper_bound(texts - count, texts, doubt)


def at_most(count: int, texts: int, share: float) -> float:
    """The probability that no more than `count` of `texts` do what each does with probability `share`."""
    if share <= 0.0 or count >= texts:
        return 1.0
    if share >= 1.0 or count < 0:
        return 0.0
    if count > texts // 2:  # the shorter tail; what is lost to rounding is far below any doubt
        return 1.0 - at_most(texts - count - 1, texts, 1.0 - share)
    steps = np.arange(1, count + 1)
    ratios = np.log((texts - steps + 1) / steps) + math.log(share) - math.log1p(-share)
    terms = texts * math.log1p(-share) + np.concatenate([[0.0], np.cumsum(ratios)])
    top = float(terms.max())
    return min(1.0, math.exp(top) * float(np.exp(terms - top).sum()))


def loss_bound(lost: int, won: int, texts: int, confidence: float) -> float:
    """How much accuracy is lost at most, with this confidence.

    Of `texts`, the cloud alone is right on `lost` and the edge alone on `won`. The doubt is shared between an
    upper bound on the one and a lower bound on the other (Bonferroni), so that it holds whatever depends on
    what.
    """
    doubt = 1.0 - confidence
    gained = lower_bound(won, texts, doubt * (1.0 - FOR_THE_LOST))
    return upper_bound(lost, texts, doubt * FOR_THE_LOST) - gained


def fewest_texts(max_loss: float, confidence: float) -> int:
    """How many texts it takes to prove the bound where not one of them is lost."""
    return math.ceil(math.log((1.0 - confidence) * FOR_THE_LOST) / math.log1p(-max_loss))
