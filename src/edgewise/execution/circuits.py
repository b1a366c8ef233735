"""The breakers of all candidates, and what the rest of Edgewise gets to know of them."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from edgewise.domain.errors import CircuitOpen, UpstreamRefused
from edgewise.domain.signals import Reading
from edgewise.execution.breaker import Breaker, Rules
from edgewise.execution.retries import TOO_MANY, counts_against, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Tell = Callable[[Iterable[Reading], float], None]

SOURCE = "breaker"
AT_ONCE_S = 0.1  # a failure that comes sooner keeps nobody waiting


class Circuits:
    """One breaker a candidate. `tell` gets `breaker:ID`, the seconds that it stays open, as that changes.

    The reading holds for as long as the circuit stays open; then it goes stale, which lets the router draw
    the candidate again, for a probe.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        tell: Tell | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._rules, self._tell, self._clock = rules or Rules(), tell, clock
        self._breakers: dict[str, Breaker] = {}

    def of(self, candidate: str) -> Breaker:
        """The breaker of one candidate."""
        breaker = self._breakers.get(candidate)
        if breaker is None:
            breaker = self._breakers[candidate] = Breaker(self._rules)
        return breaker

    def is_closed(self, candidate: str) -> bool:
        """Whether nothing stands against asking this candidate: the way of nearly every request."""
        return self.of(candidate).state == "closed"

    def refusal(self, candidate: str, *, last: bool, may_probe: bool = True) -> CircuitOpen | None:
        """Why this candidate is not to be asked now, or None, which lets one call through.

        The `last` candidate that a request has is asked all the same, unless it has been failing without an
        answer in between and takes its time to fail: nobody shall wait for that but the probes. `may_probe`
        is whether a probe that fails can still be answered by somebody else, or need not be.
        """
        breaker, now = self.of(candidate), self._clock()
        if breaker.state == "closed":
            return None
        if (may_probe or last) and breaker.admit(now):
            self._say(candidate, breaker, now)
            return None
        if last and not (breaker.dead and breaker.slow_s > AT_ONCE_S):
            return None
        wait = max(0.0, breaker.until - now)
        soon = f"in {max(wait, 0.1):.1f} s" if wait > 0.0 else "as soon as a try under way has ended"
        return CircuitOpen(
            f"{candidate} was not asked: its last calls failed, and it is tried again {soon}.",
            retry_after_s=wait,
        )

    def succeeded(self, candidate: str, epoch: int) -> None:
        """It answered a call that was begun in this epoch of its breaker."""
        breaker = self.of(candidate)
        if breaker.epoch != epoch:
            return
        now, before = self._clock(), breaker.state
        breaker.succeeded(now)
        if before != "closed":
            self._say(candidate, breaker, now)

    def failed(self, candidate: str, epoch: int, error: Exception, took_s: float) -> None:
        """It did not; the kind of error decides what that says about it."""
        breaker = self.of(candidate)
        if breaker.epoch != epoch:
            return
        now, before = self._clock(), breaker.epoch
        if isinstance(error, UpstreamRefused) and error.status == TOO_MANY:
            breaker.limited(now, retry_after_s(error.retry_after))
        elif counts_against(error):
            breaker.failed(now, took_s)
        else:
            breaker.let_go()
        if breaker.epoch != before:
            self._say(candidate, breaker, now)

    def let_go(self, candidate: str, epoch: int) -> None:
        """A call was cancelled before it said anything."""
        breaker = self.of(candidate)
        if breaker.epoch == epoch:
            breaker.let_go()

    def _say(self, candidate: str, breaker: Breaker, now: float) -> None:
        if self._tell is None:
            return
        name = f"breaker:{candidate}"
        if breaker.state == "open":
            wait = max(0.0, breaker.until - now)
            self._tell((Reading(name, wait, "s", SOURCE, "critical"),), wait)
        elif breaker.is_probe_due(now) or breaker.state == "closed":
            self._tell((Reading(name, 0.0, "s", SOURCE, "normal"),), self._rules.longest_s)
        else:  # a probe is under way: others had better go elsewhere meanwhile
            wait = self._rules.longest_s
            self._tell((Reading(name, wait, "s", SOURCE, "critical"),), wait)
