"""What one signal has been like: its smoothed value, and the state that it is in."""

from __future__ import annotations

from math import expm1, inf, isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.domain.signals import State
    from edgewise.settings.levels import Level

STATES: tuple[State, ...] = ("normal", "constrained", "critical")


FIRST_STANDS_FOR_S = 1.0  # of the past, about which the first value says something too


class Tracker:
    """Smooths by elapsed time and gives states with hysteresis and a minimum dwell.

    Smoothing is an exponentially weighted mean whose weight comes from the time that has passed, so that
    it does not matter how often a value is read. In the beginning it is a plain mean (the weights of what was
    seen are divided by their sum), or the first value would count for as much as a whole time constant.
    """

    __slots__ = ("_age", "_mean", "_seen_at", "_severity", "_since", "level")

    def __init__(self, level: Level) -> None:
        self.level = level
        self._mean = 0.0
        self._age = 0.0
        self._seen_at = -inf
        self._severity: int = 0
        self._since = -inf

    def observe(self, value: float, now: float, ttl_s: float) -> tuple[float, State]:
        """The smoothed value and its state, `value` having been read at `now` (elapsed seconds).

        After a silence of more than `ttl_s` smoothing and hysteresis begin anew. A signal that is smoothed
        is then normal until it has been seen for as long as the dwell: one value proves nothing.
        """
        gap = now - self._seen_at
        anew, settled = gap > ttl_s, now - self._since >= self.level.dwell_s
        self._seen_at = now
        if anew:
            self._mean, self._age = value, FIRST_STANDS_FOR_S
        else:
            self._mean += (value - self._mean) * self._weight(gap)
            self._age += gap
        if anew and settled and self.level.smoothing_s > 0.0:
            self._severity, self._since = 0, now
        wanted = self._wanted(0 if anew else self._severity)
        if wanted != self._severity and settled and now > self._since:
            self._severity, self._since = wanted, now
        return self._mean, STATES[self._severity]

    def set(self, value: float, state: State, now: float) -> None:
        """Take over what the source itself knows, without smoothing or waiting."""
        self._mean, self._age, self._seen_at = value, inf, now
        severity = STATES.index(state)
        if severity != self._severity:
            self._severity, self._since = severity, now

    def _weight(self, gap_s: float) -> float:
        """How much of the mean the newest value is, `gap_s` seconds after the one before."""
        constant = self.level.smoothing_s
        if constant <= 0.0:
            return 1.0
        return expm1(-gap_s / constant) / expm1(-(self._age + gap_s) / constant) if gap_s > 0.0 else 0.0

    def _wanted(self, severity: int) -> int:
        """The state that the value alone would make, coming from another."""
        bands = (self.level.constrained, self.level.critical)
        for worse, band in reversed(tuple(enumerate(bands, start=1))):
            if band is not None and band.holds(self._mean, already=severity >= worse):
                return worse
        return 0


def number(value: float | None) -> float | None:
    """The value, or None where it is no finite number."""
    return None if value is None or not isfinite(value) else float(value)
