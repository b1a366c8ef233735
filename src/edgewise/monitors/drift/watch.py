"""The watch over drift: reads the log in a thread, a bounded number of rows at a time."""

from __future__ import annotations

from collections import defaultdict, deque
from math import exp
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from edgewise.monitors.clock import SystemClock
from edgewise.monitors.drift.calibration import calibration_of
from edgewise.monitors.drift.prompts import PromptWatch
from edgewise.monitors.drift.report import DriftReport, Shift
from edgewise.monitors.drift.slices import traits_of, worst_slice
from edgewise.monitors.drift.stream import METRICS, Against, Metric, Stream, least_of, number_of
from edgewise.outcomes.comparing import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.monitors.clock import Clock
    from edgewise.monitors.drift.reference import Reference
    from edgewise.monitors.drift.slices import Slice, Traits
    from edgewise.outcomes.comparing import Compared
    from edgewise.outcomes.reader import LogReader

AT_FIRST: Final = 5000  # rows of the last seven days, evenly spaced where there are more
AT_A_TIME: Final = 1000
KEPT: Final = 1000  # answers of each candidate, and as much feedback on them
LATEST: Final = 400  # of these, where a shift is looked for
DESCRIBED_AT_FIRST, DESCRIBED = 1000, 200  # prompts, at some 100 µs each
MOST_CANDIDATES: Final = 256
WEEK_S: Final = 604_800.0
FIGURES: Final[dict[Metric, str]] = {"quality": "quality_shift", "latency_s": "latency_shift"}


class Told(NamedTuple):
    """A figure of drift as alerts read it: its value, on how many samples, and where it comes from."""

    value: float
    samples: int
    where: str


class Drift:
    """Watches prompts, quality and latency: `load` once, then `look` now and then, both in a thread.

    `reference` gives what the policy in charge was trained on, or None where that is not known. Nothing is
    done on the way of a request; a look reads at most 2,000 rows of the log. May be asked from any thread.
    """

    def __init__(
        self, reference: Callable[[], Reference | None] | None = None, *, clock: Clock | None = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._prompts = PromptWatch(reference or _unknown)
        self._place = Place()
        self._lock = Lock()
        self._streams: dict[tuple[str, Metric], Stream] = {}
        self._kept: dict[tuple[str, Metric], deque[tuple[Traits, Compared]]] = {}
        self._labels: defaultdict[str, int] = defaultdict(int)
        self._answers = self._explored = 0
        self._figures: dict[str, Told] = {}

    def load(self, reader: LogReader) -> None:
        """Read what the log holds of the last seven days. Blocks. Raises StoreError."""
        self._place = reader.place_at(self._clock.wall() - WEEK_S)
        self._read(reader, AT_FIRST, DESCRIBED_AT_FIRST)

    def look(self, reader: LogReader) -> None:
        """Read what came since. Blocks. Raises StoreError."""
        self._read(reader, AT_A_TIME, DESCRIBED)

    def figures(self) -> dict[str, Told]:
        """As of the last look: `prompt_psi`, `far_share`, `quality_shift` and `latency_shift`, where known.

        A shift is told only while the evidence for it stands; else quality lost is 0, and latency is 1 times
        what was expected.
        """
        return self._figures

    def report(self) -> DriftReport:
        """Everything that is known now. Takes milliseconds: not for the event loop."""
        with self._lock:
            now = self._clock.wall()
            candidates = sorted({candidate for candidate, _ in self._streams})
            return DriftReport(
                at=now,
                answers=self._answers,
                explored=self._explored / self._answers if self._answers else None,
                labels=dict(sorted(self._labels.items())),
                prompts=self._prompts.found(now),
                shifts=tuple(
                    self._shift(candidate, metric)
                    for candidate in candidates
                    for metric in METRICS
                    if (candidate, metric) in self._streams
                ),
                calibration=tuple(
                    calibration_of(candidate, *(self._rows(candidate, metric) for metric in METRICS))
                    for candidate in candidates
                ),
            )

    def _read(self, reader: LogReader, most: int, described: int) -> None:
        ended, said, place = reader.compared(self._place, most)
        with self._lock:
            self._place = place
            self._prompts.take(ended, described, self._clock.wall())
            for row in ended:
                self._answers += 1
                self._explored += row.reason == "explored"
                self._take(row, "latency_s")
            for row in said:
                self._labels[row.candidate] += 1
                self._take(row, "quality")
            self._figures = self._told()

    def _take(self, row: Compared, metric: Metric) -> None:
        name = row.candidate, metric
        if name not in self._streams and len(self._streams) >= 2 * MOST_CANDIDATES:
            return
        against: Against = "past" if row.forecast_of(metric) is None else "forecast"
        stream = self._streams.get(name)
        if stream is None or (against == "forecast" and stream.against == "past"):
            stream = self._streams[name] = Stream(metric, against)
        lean = replace(row, prompt=None, vector=None)
        self._kept.setdefault(name, deque(maxlen=KEPT)).append((traits_of(row), lean))
        number = number_of(row, metric, stream.against)
        if number is not None:
            stream.see(row.at, number, least_of(row, stream.against))

    def _told(self) -> dict[str, Told]:
        found: dict[str, Told] = {}
        prompts = self._prompts.found(self._clock.wall())
        if prompts.moved:
            first = prompts.moved[0]
            way = "higher" if first.places > 0 else "lower"
            found["prompt_psi"] = Told(first.index, prompts.samples, f"{first.name}, which is {way}")
        if prompts.far_share is not None:
            found["far_share"] = Told(prompts.far_share, prompts.judged, "")
        for metric, name in FIGURES.items():
            streams = [(who, stream) for (who, what), stream in self._streams.items() if what == metric]
            if streams:
                candidate, worst = max(streams, key=lambda pair: pair[1].told)
                found[name] = Told(worst.told, worst.count, self._where(candidate, worst))
        return found

    def _shift(self, candidate: str, metric: Metric) -> Shift:
        stream = self._streams[candidate, metric]
        shift = stream.shift
        return Shift(
            candidate,
            metric,
            stream.against,
            stream.count,
            exp(shift) if shift is not None and metric == "latency_s" else shift,
            stream.strength,
            stream.since,
            self._slice(candidate, stream),
        )

    def _where(self, candidate: str, stream: Stream) -> str:
        if stream.since is None:
            return ""
        found = self._slice(candidate, stream)
        return candidate if found is None else f"{candidate}, most of all {found.words}"

    def _slice(self, candidate: str, stream: Stream) -> Slice | None:
        """The part of the traffic that a standing shift comes from."""
        if stream.since is None:
            return None
        latest = list(self._kept[candidate, stream.metric])[-LATEST:]
        numbers = [(traits, number_of(row, stream.metric, stream.against)) for traits, row in latest]
        return worst_slice((traits, number) for traits, number in numbers if number is not None)

    def _rows(self, candidate: str, metric: Metric) -> list[Compared]:
        return [row for _, row in self._kept.get((candidate, metric), ())]


def _unknown() -> None:
    """No policy says what it was trained on."""
