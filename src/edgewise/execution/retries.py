"""Extra calls: how many there may be in all, and how long to wait before one."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from math import isfinite
from time import monotonic, time
from typing import TYPE_CHECKING

from edgewise.domain.errors import (
    CircuitOpen,
    Overloaded,
    RequestError,
    UpstreamRefused,
    UpstreamUnreachable,
    WouldLeave,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

BURST = 50.0
FLOOR_PER_S = 0.1
BASE_S = 0.25
LONGEST_BACKOFF_S = 2.0
LONGEST_RETRY_AFTER_S = 2.0  # to be waited for while a client waits
ABSURD_S = 86_400.0
REQUEST_TIMEOUT, TOO_MANY, SERVER_ERROR = 408, 429, 500
OUR_OWN_FAULT = frozenset({401, 403, 404})  # our key, our model's name: no fault of the request


class RetryBudget:
    """A token bucket: each request earns `share` of an extra call, each extra call spends one.

    It holds at most `burst`, is full at first, and fills by one call in ten seconds beside, so that a quiet
    gateway can try again too: there are at most burst + share of the requests + seconds / 10 extra calls.
    `clock` are seconds.
    """

    __slots__ = ("_at", "_clock", "burst", "share", "tokens")

    def __init__(self, share: float, *, burst: float = BURST, clock: Callable[[], float] = monotonic) -> None:
        self.share, self.burst, self._clock = share, burst, clock
        self.tokens = burst
        self._at = clock()

    def earn(self) -> None:
        """A request has come."""
        if self.tokens < self.burst:
            self.tokens = min(self.burst, self.tokens + self.share)

    def has_one(self) -> bool:
        """Whether an extra call may be made now."""
        now = self._clock()
        passed, self._at = max(0.0, now - self._at), now
        self.tokens = min(self.burst, self.tokens + passed * FLOOR_PER_S)
        return self.tokens >= 1.0

    def spend(self) -> bool:
        """Take one extra call, if there is one."""
        if not self.has_one():
            return False
        self.tokens -= 1.0
        return True


def retry_after_s(said: str | None, *, clock: Callable[[], float] = time) -> float | None:
    """The seconds that a `Retry-After` asks for (a number, or an HTTP date; `clock` is unix seconds).

    None where it says nothing that makes sense: no number and no date, below 0, or more than a day.
    """
    if not said:
        return None
    text = said.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - clock()
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = max(0.0, seconds) if seconds > -ABSURD_S else seconds
    return seconds if isfinite(seconds) and 0.0 <= seconds <= ABSURD_S else None


def backoff_s(dice: Random, tries: int) -> float:
    """Full jitter: evenly from 0 to a bound that doubles with every try (AWS, 2015)."""
    return dice.uniform(0.0, min(LONGEST_BACKOFF_S, BASE_S * 2.0 ** min(tries, 16)))


def may_ask_another(error: Exception) -> bool:
    """Whether another candidate may do better.

    Not where the candidate found fault with the request itself (400, 409, 413, 415, 422).
    """
    if isinstance(error, RequestError):
        return False
    if isinstance(error, UpstreamRefused) and error.status < SERVER_ERROR:
        return error.status in OUR_OWN_FAULT or error.status in (REQUEST_TIMEOUT, TOO_MANY)
    return True


def may_ask_again(error: Exception) -> bool:
    """Whether the same candidate may do better in a moment; one that was slow will be slow again."""
    if isinstance(error, UpstreamRefused):
        return error.status == TOO_MANY or error.status >= SERVER_ERROR
    return isinstance(error, UpstreamUnreachable)


def was_asked(error: Exception) -> bool:
    """Whether the candidate saw anything of the call that ended in `error`."""
    return not isinstance(error, WouldLeave | CircuitOpen | Overloaded)


def counts_against(error: Exception) -> bool:
    """Whether an error says something about the candidate, and not about a request, our key or our rules."""
    if not was_asked(error):
        return False
    if isinstance(error, UpstreamRefused):
        return error.status >= SERVER_ERROR or error.status == REQUEST_TIMEOUT
    return True
