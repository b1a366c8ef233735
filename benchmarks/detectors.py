"""Three detectors of drift from the literature, to compare ours with: one-sided, for numbers from -1 to 1.

Each is an object with `see(number) -> bool`: whether it is enough. `harder` is the one threshold that the
comparison tunes.
"""

from __future__ import annotations

from math import log, sqrt

CHECK_EVERY = 16  # of ADWIN's looks, a bucket structure's worth; its authors look every 32 samples
FEWEST = 30


class PageHinkley:
    """The cumulated excess over the stream's own mean so far (Page 1954; Hinkley 1971)."""

    def __init__(self, harder: float = 50.0, tolerated: float = 0.005) -> None:
        self._harder, self._tolerated = harder, tolerated
        self._count, self._mean, self._sum, self._least = 0, 0.0, 0.0, 0.0

    def see(self, number: float) -> bool:
        """Take the next number; whether it is enough."""
        self._count += 1
        self._mean += (number - self._mean) / self._count
        self._sum += number - self._mean - self._tolerated
        self._least = min(self._least, self._sum)
        return self._count >= FEWEST and self._sum - self._least > self._harder


class Cusum:
    """The cumulated excess over what is tolerated, never below 0 (Page 1954).

    It is in units of the spread of the first 100 numbers, and half a spread is let go.
    """

    def __init__(self, harder: float = 5.0, tolerated: float = 0.05, slack: float = 0.25) -> None:
        self._harder, self._tolerated, self._slack = harder, tolerated, slack
        self._first: list[float] = []
        self._spread = 0.0
        self._sum = 0.0

    def see(self, number: float) -> bool:
        """Take the next number; whether it is enough."""
        if not self._spread:
            self._first.append(number)
            if len(self._first) == 100:
                mean = sum(self._first) / 100
                self._spread = max(0.02, sqrt(sum((x - mean) ** 2 for x in self._first) / 99))
                for each in self._first:
                    self._step(each)
            return False
        return self._step(number)

    def _step(self, number: float) -> bool:
        self._sum = max(0.0, self._sum + (number - self._tolerated) / self._spread - self._slack)
        return self._sum > self._harder


class Adwin:
    """A window that is cut where its older part differs from its newer one (Bifet and Gavalda 2007).

    `harder` is log10(1 / delta). Buckets of doubling size, five of each; only a rise is an alarm.
    """

    def __init__(self, harder: float = 2.7) -> None:
        self._log = log(10.0) * harder
        self._rows: list[list[tuple[float, float]]] = [[]]  # size 2**row: (sum, squared deviations)
        self._seen = 0

    def see(self, number: float) -> bool:
        """Take the next number; whether it is enough."""
        self._rows[0].insert(0, (number, 0.0))
        for row, buckets in enumerate(self._rows):
            if len(buckets) <= 5:
                break
            (b, bs), (a, as_) = buckets.pop(), buckets.pop()
            size = 2**row
            if row + 1 == len(self._rows):
                self._rows.append([])
            self._rows[row + 1].insert(0, (a + b, as_ + bs + (a - b) ** 2 / (2 * size)))
        self._seen += 1
        return self._seen % CHECK_EVERY == 0 and self._cut()

    def _cut(self) -> bool:
        oldest = [(2**row, *b) for row in reversed(range(len(self._rows))) for b in reversed(self._rows[row])]
        count = sum(size for size, _, _ in oldest)
        total = sum(s for _, s, _ in oldest)
        mean = total / count
        variance = sum(v + size * (s / size - mean) ** 2 for size, s, v in oldest) / count
        n0 = s0 = 0.0
        for place, (size, s, _) in enumerate(oldest[:-1], 1):
            n0, s0 = n0 + size, s0 + s
            n1 = count - n0
            if n0 < 5 or n1 < 5:
                continue
            rise = (total - s0) / n1 - s0 / n0
            m = 1.0 / (1.0 / n0 + 1.0 / n1)
            budget = self._log + log(2.0 * log(count))
            if abs(rise) > sqrt(2.0 / m * variance * budget) + 2.0 / (3.0 * m) * budget:
                self._forget(oldest[place:])
                return rise > 0.0
        return False

    def _forget(self, kept: list[tuple[int, float, float]]) -> None:
        rows: list[list[tuple[float, float]]] = [[] for _ in self._rows]
        for size, s, v in kept:
            rows[size.bit_length() - 1].insert(0, (s, v))
        self._rows = rows
