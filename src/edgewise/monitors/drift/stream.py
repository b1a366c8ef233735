"""One candidate's answers against what was expected of them: whether they got worse, and by how much."""

from __future__ import annotations

from collections import deque
from math import exp, log, log10, sqrt
from typing import TYPE_CHECKING, Final, Literal

from edgewise.monitors.drift.evidence import Evidence

if TYPE_CHECKING:
    from edgewise.outcomes.comparing import Compared

Metric = Literal["quality", "latency_s"]
Against = Literal["forecast", "past"]
METRICS: Final[tuple[Metric, ...]] = ("quality", "latency_s")
# What is let pass: forecasts are a little wrong, and the mean of a first stretch is a little more so.
TOLERATED: Final[dict[tuple[Metric, Against], float]] = {
    ("quality", "forecast"): 0.05,
    ("quality", "past"): 0.10,
    ("latency_s", "forecast"): 0.2,  # of the natural logarithm: a factor of 1.22
    ("latency_s", "past"): 0.3,
}
FIRST: Final = 200  # numbers that say what is usual, where nothing was forecast
RECENT: Final = 100  # numbers that say how large a shift is, and when it is over
OVER_AT: Final = 0.6  # of what is tolerated
ADOPTED_AFTER: Final = 1000  # numbers: by then the new level is the usual one
TOGETHER: Final[dict[Metric, int]] = {"quality": 1, "latency_s": 5}
LEAST_S: Final = 1e-4
# Of a logarithm of latency: the slowest answers say no more than slow ones, and the less a fast one can take
# back, the more can be bet. With log-normal latencies of any usual spread the mean rises by less than 0.1.
FASTEST, SLOWEST = -0.5, 1.0


def number_of(row: Compared, metric: Metric, against: Against) -> float | None:
    """How much worse an answer was than forecast (than nothing, against the past); None where unknown.

    Quality lost, 0 to 1, or the natural logarithm of latency over its forecast's middle.
    """
    estimate = row.forecast_of(metric)
    if against == "forecast" and estimate is None:
        return None
    if metric == "quality":
        if row.quality is None:
            return None
        return (estimate.mean if estimate is not None and against == "forecast" else 0.0) - row.quality
    if row.latency_s <= 0.0:
        return None
    took = log(max(row.latency_s, LEAST_S))
    if estimate is None or against == "past":
        return took
    # The interval is one of quantiles in log space; its mean is pulled up by the slowest answers.
    middle = sqrt(estimate.low * estimate.high) if estimate.low > 0.0 else estimate.mean
    return took - log(max(middle, LEAST_S))


def least_of(row: Compared, against: Against) -> float:
    """What the number of quality could not be below, known before the answer was: it can be 1 at most."""
    estimate = row.forecast_of("quality")
    return -1.0 if against == "past" or estimate is None else estimate.mean - 1.0


class Stream:
    """The numbers of one candidate and one metric, the evidence in them, and the shift that stands, if any.

    Several latencies are seen as their mean: what is slow now is slow in a moment, and the evidence must not
    take one slow moment for many.
    """

    def __init__(self, metric: Metric, against: Against) -> None:
        self.metric: Metric = metric
        self.against: Against = against
        self._tolerated = TOLERATED[metric, against]
        self._evidence = Evidence(self._tolerated)
        self._usual: float | None = 0.0 if against == "forecast" else None
        self._group: list[float] = []
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._standing = 0
        self.since: float | None = None
        self.count = 0

    @property
    def strength(self) -> float:
        """The evidence as a power of ten."""
        return round(log10(max(1.0, self._evidence.value)), 2)

    @property
    def shift(self) -> float | None:
        """How much worse the latest numbers are on average; None before there are enough to say."""
        if self._usual is None or len(self._recent) < RECENT // 4:
            return None
        return sum(self._recent) / len(self._recent) - self._usual

    @property
    def told(self) -> float:
        """The shift as an alert tells it: quality lost, or latency as a multiple; none while none stands."""
        shift = (self.shift or 0.0) if self.since is not None else 0.0
        return exp(shift) if self.metric == "latency_s" else shift

    def see(self, at: float, number: float, least: float = -1.0) -> None:
        """Take the next number, known since `at` (unix seconds), which could not be below `least`."""
        self.count += 1
        self._recent.append(number)
        if self._usual is None:
            self._group.append(number)
            if len(self._group) == FIRST:
                self._usual, self._group = sum(self._group) / FIRST, []
            return
        if self.since is not None:
            self._after()
            return
        worse = number - self._usual
        if self.metric == "latency_s":
            worse, least = min(SLOWEST, max(FASTEST, worse)), FASTEST
        else:
            least -= self._usual
        self._group.append(worse)
        if len(self._group) == TOGETHER[self.metric]:
            mean, self._group = sum(self._group) / len(self._group), []
            if self._evidence.see(mean, least):
                self.since, self._standing = at, 0

    def _after(self) -> None:
        """While a shift stands: is it over, or what is usual by now?"""
        self._standing += 1
        mean = sum(self._recent) / len(self._recent) - (self._usual or 0.0)
        over = self._standing >= RECENT and mean <= OVER_AT * self._tolerated
        adopted = self.against == "past" and self._standing >= ADOPTED_AFTER
        if over or adopted:
            if adopted:
                self._usual = (self._usual or 0.0) + mean
            self.since, self._group, self._evidence = None, [], Evidence(self._tolerated)
