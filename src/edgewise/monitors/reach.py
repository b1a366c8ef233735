"""Whether one endpoint can be reached: what calls and probes said, weighed by elapsed time. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.domain.calls import Fault
    from edgewise.domain.signals import State

AWAY = ("unreachable", "timeout")  # faults of the way, not of who is at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How soon to ask again, in seconds, and how much it takes to believe that an endpoint is gone.

    `stale_s` is the published 30 s between checks; `loss` the published 10 % of calls that fail.
    """

    proof: int = 2
    suspect_s: float = 0.5
    waiting_s: float = 0.75
    while_waiting_s: float = 5.0
    away_s: float = 2.0
    longest_hold_s: float = 6.0
    flips_over_s: float = 60.0
    stale_s: float = 30.0
    loss: float = 0.10
    loss_leave: float = 0.05
    memory_s: float = 10.0
    fewest_calls: float = 3.0


@dataclass(slots=True)
class Reach:
    """What is known about the way to one endpoint. All times are elapsed seconds that never jump.

    Two failures on the way in a row, of calls or probes, mean that it is gone; one success means that it is
    back, unless it has come and gone a lot lately: then it must stay for a while first.
    """

    patience: Patience = field(default_factory=Patience)
    online: bool | None = None
    failures: float = 0.0
    calls: float = 0.0
    lossy: bool = False
    _doubts: int = 0
    _seen_at: float | None = None
    _probed_at: float | None = None
    _weighed_at: float = 0.0
    _good_since: float | None = None
    _losses: list[float] = field(default_factory=list[float])

    def called(self, now: float, fault: Fault | None) -> None:
        """A call has begun to answer, or has failed."""
        self._weigh(now)
        self.calls += 1.0
        if fault is not None and fault != "limited":
            self.failures += 1.0
        self._learn(now, away=fault in AWAY)

    def probed(self, now: float, *, reached: bool) -> None:
        """A probe has come to an end."""
        self._probed_at = now
        self._learn(now, away=not reached)

    def wants_probe(self, now: float, waiting_since: float | None = None) -> bool:
        """Whether it is time to ask on purpose.

        `waiting_since` is when the oldest call began that has not been answered yet.
        """
        rest = now - self._probed_at if self._probed_at is not None else float("inf")
        patience = self.patience
        if self.online is False:
            return rest >= patience.away_s
        if self._doubts:
            return rest >= patience.suspect_s
        if waiting_since is not None and now - waiting_since >= patience.waiting_s:
            quiet = self._seen_at is None or self._seen_at < waiting_since
            return quiet or rest >= patience.while_waiting_s
        return self._seen_at is None or now - self._seen_at >= patience.stale_s

    def state(self, now: float) -> State:
        """`critical` for gone, `constrained` for lossy, `unknown` where nobody has looked for long."""
        self._weigh(now)
        if self.online is None or self._seen_at is None or now - self._seen_at > 2 * self.patience.stale_s:
            return "unknown"
        if not self.online:
            return "critical"
        return "constrained" if self._is_lossy() else "normal"

    def loss(self, now: float) -> float | None:
        """The share of calls that failed lately; None where there were hardly any."""
        self._weigh(now)
        return self.failures / self.calls if self.calls >= self.patience.fewest_calls else None

    def _is_lossy(self) -> bool:
        if self.calls < self.patience.fewest_calls:
            self.lossy = False
            return False
        share = self.failures / self.calls
        self.lossy = share > self.patience.loss_leave if self.lossy else share >= self.patience.loss
        return self.lossy

    def _learn(self, now: float, *, away: bool) -> None:
        self._seen_at = now
        if away:
            if self._good_since is not None:
                self._losses.append(now)
            self._good_since = None
            self._doubts += 1
            if self.online is not False and self._doubts >= self.patience.proof:
                self.online = False
            return
        self._doubts = 0
        if self._good_since is None:
            self._good_since = now
        if self.online is not False or now - self._good_since >= self._hold(now):
            self.online = True

    def _hold(self, now: float) -> float:
        """How long a way that came back must stay before it is believed: longer where it flaps."""
        patience = self.patience
        self._losses = [at for at in self._losses if now - at < patience.flips_over_s]
        lately = len(self._losses)
        return min(patience.longest_hold_s, 2.0 * (lately - 1)) if lately > 1 else 0.0

    def _weigh(self, now: float) -> None:
        """Let old calls count less, by elapsed time."""
        passed = max(0.0, now - self._weighed_at)
        if passed > 0.0:
            kept = exp(-passed / self.patience.memory_s)
            self.calls *= kept
            self.failures *= kept
            self._weighed_at = now
