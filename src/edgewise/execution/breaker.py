"""A circuit breaker: who keeps failing is left alone for a while, then tried with a real request. Pure.

With two to five candidates the ejection rules of large fleets never fire; what counts here are failures in a
row, and the share of failures where there were enough calls to speak of a share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["closed", "open", "half-open"]
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a circuit opens, and for how long. Times in seconds.

    `in_a_row` failures open it, and so does a `share` of failures among at least `fewest` calls of the last
    one or two `window_s`. It stays open for `open_s`, twice as long after each probe that fails, at most
    `longest_s`; `proof` probes that succeed in a row close it.
    """

    in_a_row: int = 5
    share: float = HALF
    fewest: int = 20
    window_s: float = 10.0
    open_s: float = 1.0
    longest_s: float = 10.0
    proof: int = 2
    longest_cooldown_s: float = 60.0


@dataclass(slots=True)
class Breaker:
    """The circuit of one candidate. `now` are seconds that never jump.

    `admit` lets a call through or not, and every call that it let through ends in exactly one of
    `succeeded`, `failed`, `limited` and `let_go`; what was asked before the circuit last opened (another
    `epoch`) is no news and is not told. `dead` says that nothing but failures came lately, `slow_s` how long
    the last one took.
    """

    rules: Rules = field(default_factory=Rules)
    state: State = "closed"
    until: float = 0.0
    row: int = 0
    dead: bool = False
    slow_s: float = 0.0
    epoch: int = 0
    _open_s: float = 0.0
    _proven: int = 0
    _probing: bool = False
    _probe_by: float = 0.0
    _turn_at: float = 0.0
    _calls: int = 0  # of this window
    _failures: int = 0
    _before: tuple[int, int] = (0, 0)  # calls and failures of the one before

    def is_probe_due(self, now: float) -> bool:
        """Whether the next call that is let through is a probe."""
        return self.state != "closed" and now >= self.until and not (self._probing and now < self._probe_by)

    def admit(self, now: float) -> bool:
        """Whether a call may be made: always while closed, later one probe at a time once that is due."""
        if self.state == "closed":
            return True
        if not self.is_probe_due(now):
            return False
        self.state, self._probing = "half-open", True
        self._probe_by = now + self.rules.longest_s  # a probe that hangs does not bar the next for ever
        return True

    def succeeded(self, now: float) -> None:
        """A call was answered."""
        self.row, self.dead = 0, False
        if self.state == "closed":
            if now >= self._turn_at:
                self._turn(now)
            self._calls += 1
            return
        self._probing = False
        self._proven += 1
        self.state, self.until = "half-open", now
        if self._proven >= self.rules.proof:
            self.state, self._open_s, self._proven = "closed", 0.0, 0
            self._calls = self._failures = 0
            self._before = (0, 0)

    def failed(self, now: float, took_s: float = 0.0) -> None:
        """A call failed through the candidate's fault, after `took_s`."""
        self.row += 1
        self.slow_s = took_s
        rules = self.rules
        if self.state == "closed":
            if now >= self._turn_at:
                self._turn(now)
            self._calls += 1
            self._failures += 1
            calls, failures = self._calls + self._before[0], self._failures + self._before[1]
            self.dead = self.row >= rules.in_a_row
            if self.dead or (calls >= rules.fewest and failures >= rules.share * calls):
                self._open(now, rules.open_s)
        elif self.state == "half-open":
            self.dead = self.row >= rules.in_a_row
            self._open(now, min(rules.longest_s, 2.0 * self._open_s))

    def limited(self, now: float, for_s: float | None) -> None:
        """The candidate asked to be left alone (429), for so many seconds if it said so.

        It is for `open_s` at least: one whose clock is late names a moment that has passed, every time.
        """
        self.slow_s, self.dead = 0.0, False
        rest = min(max(for_s or 0.0, self.rules.open_s), self.rules.longest_cooldown_s)
        self._open(now, self._open_s, rest=rest)

    def let_go(self) -> None:
        """A call ended and said nothing of the candidate: its client hung up, or its request was wrong."""
        self._probing = False

    def _open(self, now: float, open_s: float, *, rest: float | None = None) -> None:
        until = now + (open_s if rest is None else rest)
        self.until = max(self.until, until) if self.state == "open" else until
        self.state, self._open_s, self._proven, self._probing = "open", open_s or self.rules.open_s, 0, False
        self.epoch += 1

    def _turn(self, now: float) -> None:
        """Begin a new window."""
        gone = now - self._turn_at >= self.rules.window_s
        self._before = (0, 0) if gone else (self._calls, self._failures)
        self._calls = self._failures = 0
        self._turn_at = now + self.rules.window_s
