"""The latest signals, kept up to date in the background and read in well under a microsecond."""

from __future__ import annotations

from math import inf
from threading import Event, Lock, Thread
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from edgewise.domain.signals import NO_SIGNALS, Reading, Signal, Signals
from edgewise.monitors.clock import Clock, SystemClock
from edgewise.monitors.tracker import Tracker, number
from edgewise.monitors.watch import Turn, Watch
from edgewise.settings.levels import level_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgewise.settings.schema import LevelSettings

PUSHED_TTL_S = 30.0
SHORTEST_TTL_S = 5.0
INTERVALS_A_TTL = 3.0
LONGEST_REST_S = 3600.0  # an interval may be longer than the system can wait at once
PATIENCE_S = 1.0  # for a monitor that is being read while the board closes


class Board:
    """What is known of the world. `with Board(watches) as board: board.read()`.

    Watches are read by one thread, each that is `alone` by another; others may `put` what they learn.
    `levels` changes the default levels by the name of a signal. Time is measured in elapsed seconds, so that
    a wall clock that is set does no harm. Every signal that is older than its time to live stands there as
    unknown, to the moment and also if its thread hangs.
    """

    def __init__(
        self,
        watches: Iterable[Watch] = (),
        *,
        levels: Mapping[str, LevelSettings] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock: Clock = SystemClock() if clock is None else clock
        self._elapsed = self._clock.elapsed
        self._turns = [Turn(watch, self._elapsed()) for watch in watches]
        self._levels = dict(levels or {})
        self._lock = Lock()
        self._trackers: dict[str, Tracker] = {}
        self._known: dict[str, Signal] = {}
        self._expiries: dict[str, float] = {}
        self._signals: Signals = NO_SIGNALS
        self._fresh_until = inf
        self._ending = Event()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        """Begin to read the monitors."""
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def failures(self) -> dict[str, int]:
        """How often each monitor has failed, by its name."""
        return {turn.watch.name: turn.failures for turn in self._turns}

    def open(self) -> None:
        """Begin to read the monitors in the background, at once. A second call does nothing."""
        if self._threads:
            return
        together = [turn for turn in self._turns if not turn.watch.alone]
        apart = [[turn] for turn in self._turns if turn.watch.alone]
        for turns in [together, *apart] if together else apart:
            thread = Thread(target=self._run, args=(turns,), name="edgewise-signals", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop reading. What was read goes stale by itself."""
        self._ending.set()
        until = monotonic() + PATIENCE_S
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def read(self) -> Signals:
        """Every signal by its name, as of now. A mapping once given never changes; the next may differ."""
        if self._elapsed() >= self._fresh_until:
            self._expire()
        return self._signals

    def put(self, readings: Iterable[Reading], *, ttl_s: float | None = None) -> None:
        """Take in what somebody has read just now. Any thread may call this.

        `ttl_s` is for how long it holds, unless the signal's level says so.
        """
        taken = tuple(readings)  # a generator may wait for a disk, and not while others wait for us
        with self._lock:
            now, at = self._elapsed(), self._clock.wall()
            for reading in taken:
                self._take(reading, now, at, PUSHED_TTL_S if ttl_s is None else ttl_s)
            self._publish()

    def sample(self) -> float:
        """Read every monitor that is due, and say how many seconds later the next one is.

        With a clock of your own, call it yourself; otherwise background threads do this.
        """
        return self._sampled(self._turns)

    def _sampled(self, turns: Sequence[Turn]) -> float:
        for turn in turns:
            now = self._elapsed()
            if turn.due_at <= now:
                ttl_s = max(SHORTEST_TTL_S, INTERVALS_A_TTL * turn.watch.interval_s)
                self.put(turn.take(now), ttl_s=ttl_s)
        return max(0.0, min((turn.due_at for turn in turns), default=inf) - self._elapsed())

    def _run(self, turns: Sequence[Turn]) -> None:
        while not self._ending.is_set():
            self._ending.wait(min(self._sampled(turns), LONGEST_REST_S))

    def _take(self, reading: Reading, now: float, at: float, ttl_s: float) -> None:
        name = reading.name
        tracker = self._trackers.get(name)
        if tracker is None:
            tracker = self._trackers[name] = Tracker(level_of(name, self._levels))
        ttl_s = ttl_s if tracker.level.ttl_s is None else tracker.level.ttl_s
        value, state = number(reading.value), reading.state
        if value is None or state == "unknown":
            value, state = None, "unknown"
        elif state is None:
            value, state = tracker.observe(value, now, ttl_s)
        else:
            tracker.set(value, state, now)
        self._known[name] = Signal(name, value, reading.unit, at, reading.source, state, ttl_s)
        self._expiries[name] = inf if value is None else now + ttl_s

    def _expire(self) -> None:
        """Make unknown what is too old."""
        with self._lock:
            now = self._elapsed()
            for name, expiry in self._expiries.items():
                if expiry <= now:
                    self._known[name] = replace(self._known[name], value=None, state="unknown")
                    self._expiries[name] = inf
            self._publish()

    def _publish(self) -> None:
        self._signals = MappingProxyType(self._known.copy())
        self._fresh_until = min(self._expiries.values(), default=inf)
