"""How strongly a stream speaks for a mean above what is tolerated: an e-detector.

After Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection"
(2022), with the bets of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
(2024). `benchmarks/drift.py` compared it with ADWIN, Page-Hinkley and CUSUM.
"""

from __future__ import annotations

from typing import Final

BETS: Final = (
    0.02,
    0.05,
    0.1,
    0.2,
    0.4,
    0.8,
)  # of the most: small ones see small shifts, large ones large ones
ENOUGH: Final = 1e4


class Evidence:
    """Numbers, one after the other, whose mean should be `tolerated` at most.

    `value` is what somebody who bets on more would have on average by now, a new one with one coin joining at
    every number. While the mean is tolerated, whatever the distribution, a value of `ENOUGH` is reached once
    in `ENOUGH` numbers at most, on average; only the mean of each, given those before it, must be tolerated.
    """

    __slots__ = ("_fortunes", "_tolerated", "count", "value")

    def __init__(self, tolerated: float) -> None:
        self._tolerated = tolerated
        self._fortunes = [0.0] * len(BETS)
        self.count, self.value = 0, 0.0

    def see(self, number: float, least: float = -1.0) -> bool:
        """Take the next number, which could not be below `least`; whether there is enough evidence.

        `least` was known before the number was: the less can be lost, the more can be bet.
        """
        excess = (max(least, number) - self._tolerated) / (self._tolerated - least)
        fortunes = [
            (fortune + 1.0) * (1.0 + bet * excess) for fortune, bet in zip(self._fortunes, BETS, strict=True)
        ]
        self._fortunes = fortunes
        self.count += 1
        self.value = sum(fortunes) / len(fortunes)
        return self.value >= ENOUGH
