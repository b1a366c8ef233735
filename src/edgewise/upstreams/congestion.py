"""How many calls a candidate can take at a time, learned from how long they take."""

from __future__ import annotations

from collections import deque
from statistics import median

TOLERANCE = 2.0
SLACK_S = 0.1  # a wait that nobody notices is no congestion, however many times the usual it is
LESS = 0.8
WINDOW = (10, 50)  # calls: at least and at most
REMEMBERED_S = 300.0


class Congestion:
    """Additive increase, multiplicative decrease (as TCP does), by windows of calls.

    A window whose median is above `TOLERANCE` times the candidate's own baseline lowers `limit`; one that
    is not raises it by one, if the limit was reached in it. The baseline is the lowest median of the last
    five to ten minutes, so that a candidate that became slower for good is taken as it is; every five
    minutes a limit that is reached is halved for a while, or a crowd that stays would pass for the usual.
    """

    def __init__(self, limit: int, *, most: int, least: int = 1) -> None:
        self.limit = limit
        self._least, self._most = least, most
        self._peak = 0
        self._plain, self._streams = _Times(), _Times()

    def took(self, seconds: float, in_flight: int, now: float, *, stream: bool = False) -> None:
        """Learn from an answer that took `seconds`, while `in_flight` calls were under way."""
        times = self._streams if stream else self._plain
        self._peak = max(self._peak, in_flight)
        times.window.append(seconds)
        least, most = WINDOW
        if len(times.window) < min(max(least, self.limit), most):
            return
        middle, peak = median(times.window), self._peak
        times.window.clear()
        self._peak = 0
        is_due = times.is_due(now)
        baseline = times.baseline(middle, now)
        if is_due and peak >= self.limit:
            self.limit = max(self._least, self.limit // 2)  # to see again what it is like without a crowd
        elif middle > max(TOLERANCE * baseline, baseline + SLACK_S):
            self.limit = max(self._least, int(min(self.limit, peak) * LESS))
        elif peak >= self.limit:
            self.limit = min(self._most, self.limit + 1)

    def refused(self, in_flight: int) -> None:
        """Learn that the candidate itself said that it was too much (429, 503)."""
        self.limit = max(self._least, int(min(self.limit, max(1, in_flight)) * LESS))


class _Times:
    """What answers of one kind take: this window's, and the lowest medians of the last ones."""

    def __init__(self) -> None:
        self.window: list[float] = []
        self._lowest: deque[tuple[float, float]] = deque(maxlen=2)  # when its five minutes began, the median

    def is_due(self, now: float) -> bool:
        """Whether the last lowest median has had its five minutes."""
        return bool(self._lowest) and now - self._lowest[-1][0] >= REMEMBERED_S

    def baseline(self, middle: float, now: float) -> float:
        """The lowest median, this one among them."""
        known = self._lowest
        if not known or self.is_due(now):
            known.append((now, middle))
        elif middle < known[-1][1]:
            known[-1] = (known[-1][0], middle)
        return min(lowest for _, lowest in known)
