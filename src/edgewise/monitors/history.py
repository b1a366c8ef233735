"""How the signals went over the last hour and day, in bounded memory."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, Self

from edgewise.monitors.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.signals import Signals

EVERY_S: Final = 10.0
# Span → (seconds a bucket, buckets): the same as those that the traffic is counted in.
SPANS: Final = {"1h": (60.0, 60), "24h": (900.0, 96)}
MOST_NAMES: Final = 200

Bucket = dict[str, tuple[float, int]]  # a signal's sum, and of how many samples


class History:
    """Samples `signals` every ten seconds in a thread of its own while it is open; `series` tells.

    What was unknown at a moment is in no mean. It begins when Edgewise begins: nothing is on disk.
    """

    def __init__(self, signals: Callable[[], Signals], *, clock: Clock | None = None) -> None:
        self._signals, self._clock = signals, clock or SystemClock()
        self._rings: dict[str, dict[int, Bucket]] = {span: {} for span in SPANS}
        self._names: dict[str, None] = {}
        self._lock, self._ending = Lock(), Event()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Begin to sample."""
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def open(self) -> None:
        """Begin to sample, at once."""
        self._thread = Thread(target=self._run, name="edgewise-history", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what was seen can still be read."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def take(self) -> None:
        """One sample of everything that is known now."""
        now, known = self._clock.wall(), self._signals()
        with self._lock:
            for name, signal in known.items():
                if signal.value is not None and (name in self._names or len(self._names) < MOST_NAMES):
                    self._names[name] = None
                    for span, (width_s, count) in SPANS.items():
                        _add(self._rings[span], int(now // width_s), count, name, signal.value)

    def series(self, span: str) -> tuple[list[float], dict[str, list[float | None]]]:
        """When each bucket of the "1h" or "24h" begins, in unix seconds, oldest first, and the means in it.

        By the signal's name; None where nothing was known.
        """
        width_s, count = SPANS[span]
        last = int(self._clock.wall() // width_s)
        places = range(last - count + 1, last + 1)
        with self._lock:
            ring = self._rings[span]
            means = {name: [_mean(ring.get(at, {}).get(name)) for at in places] for name in self._names}
        return [at * width_s for at in places], {
            name: values for name, values in means.items() if any(value is not None for value in values)
        }

    def _run(self) -> None:
        while not self._ending.is_set():
            self.take()
            self._ending.wait(EVERY_S)


def _add(ring: dict[int, Bucket], at: int, count: int, name: str, value: float) -> None:
    bucket = ring.get(at)
    if bucket is None:
        bucket = ring[at] = {}
        for far in [place for place in ring if abs(place - at) >= count]:  # or the clock was set
            del ring[far]
    total, samples = bucket.get(name, (0.0, 0))
    bucket[name] = total + value, samples + 1


def _mean(found: tuple[float, int] | None) -> float | None:
    return None if found is None else found[0] / found[1]
