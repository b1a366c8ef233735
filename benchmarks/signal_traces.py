"""How signals behave: an hour of trouble at a time, run through a board, beside a raw threshold.

    python -m benchmarks.signal_traces [--write]

Prints the table of `docs/signals.md`; `--write` puts it there. Every simulated trace is run with ten seeds,
the same everywhere; a test holds the page to the table. The recorded one is the CPU of a build
machine, once a second, for which nobody knows when it was "really" busy.
"""

from __future__ import annotations

import argparse
import csv
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from edgewise.domain.signals import Reading
from edgewise.monitors import Board, SettableClock
from edgewise.settings.levels import Band, Level, level_of
from edgewise.settings.schema import LevelSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from edgewise.domain.signals import State

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "signals.md"
RECORDED = HERE / "traces" / "cpu.csv"
BEGIN, END = "<!-- traces: begin -->\n", "<!-- traces: end -->\n"
HOUR = 3600
SEEDS = range(1, 11)
# The settings that are measured where there is no default: an endpoint's round trips, in seconds.
ROUND_TRIPS = LevelSettings(constrained=0.300, constrained_leave=0.225, smoothing_s=10.0)
STATES = ("normal", "constrained", "critical")


class Step(NamedTuple):
    """One sample: seconds since the beginning, what was read, and a jump of the wall clock before it."""

    at: float
    value: float
    jump: float = 0.0


class Trace(NamedTuple):
    """`trouble` is (from, until) in seconds, where it is known; None where nobody knows."""

    name: str
    signal: str
    steps: list[Step]
    trouble: tuple[float, float] | None
    known_by_source: bool = False


class Found(NamedTuple):
    """What came of a trace: changes of state, and seconds until trouble was seen and seen to be over."""

    flips: int
    detection: float | None
    recovery: float | None


def slowdown(seed: int, jumps: float = 0.0) -> Trace:
    """Round trips of 200 ms with a long tail; for five minutes they take three times as long."""
    random, trouble = Random(seed), (1800.0, 2100.0)
    steps = []
    for second in range(HOUR):
        mean = 0.600 if trouble[0] <= second < trouble[1] else 0.200
        jump = random.choice((-jumps, jumps)) if jumps and second % 300 == 299 else 0.0
        steps.append(Step(second, random.gammavariate(5.0, mean / 5.0), jump))
    name = "slowdown, and the clock jumps an hour every 5 min" if jumps else "slowdown of 5 min"
    return Trace(name, "rtt_s:cloud", steps, trouble)


def brownout(seed: int) -> Trace:
    """Round trips that get slower for twenty minutes, and faster again."""
    random = Random(seed)
    means = [0.15 + 0.35 * max(0.0, 1 - abs(second - 1800) / 1200) for second in range(HOUR)]
    over = [second for second, mean in enumerate(means) if mean >= 0.300]
    steps = [Step(second, random.gammavariate(5.0, mean / 5.0)) for second, mean in enumerate(means)]
    return Trace("slow brown-out", "rtt_s:cloud", steps, (over[0], over[-1] + 1))


def flapping(seed: int) -> Trace:
    """A link that comes and goes every few seconds for ten minutes."""
    random, up, steps = Random(seed), True, []
    trouble, turn = (1200.0, 1800.0), 1200.0
    for second in range(HOUR):
        if second >= turn and second < trouble[1]:
            up, turn = not up, second + random.uniform(1.0, 4.0)
        steps.append(Step(second, float(up or second >= trouble[1])))
    return Trace("flapping link", "link", steps, trouble, known_by_source=True)


def storm(seed: int) -> Trace:
    """A CPU at a quarter with bursts of a second or two, and a storm of four minutes."""
    random, trouble, burst, steps = Random(seed), (2400.0, 2640.0), 0, []
    for second in range(HOUR):
        burst = random.choice((1, 2)) if random.random() < 0.05 else max(0, burst - 1)
        busy = trouble[0] <= second < trouble[1]
        mean = 0.97 if busy or burst else 0.25
        steps.append(Step(second, min(1.0, max(0.0, random.gauss(mean, 0.04)))))
    return Trace("CPU storm of 4 min", "cpu", steps, trouble)


def drain(seed: int) -> Trace:
    """A battery that loses a per cent a minute, read with an error of one; then it is charged."""
    random, low, steps = Random(seed), 2 * HOUR, []
    shares = [
        1.0 - 0.95 * s / low if s < low else 0.05 + 0.7 * (s - low) / HOUR for s in range(0, 3 * HOUR, 10)
    ]
    for place, share in enumerate(shares):
        steps.append(Step(10.0 * place, round(share + random.gauss(0, 0.01), 2)))
    below = [10.0 * place for place, share in enumerate(shares) if share <= 0.30]
    return Trace("battery drain", "battery", steps, (below[0], below[-1] + 10))


def recorded(_: int, path: Path = RECORDED) -> Trace:
    """What a machine on which many things were built was like."""
    with path.open() as file:
        steps = [Step(float(row["second"]), float(row["cpu"])) for row in csv.DictReader(file)]
    return Trace(f"recorded: {len(steps) // 60} min of a build machine's CPU", "cpu", steps, None)


TRACES: tuple[Callable[[int], Trace], ...] = (
    slowdown,
    lambda seed: slowdown(seed, jumps=HOUR),
    brownout,
    flapping,
    storm,
    drain,
    recorded,
)


def on_a_board(trace: Trace) -> Iterator[str]:
    """The state after each step."""
    clock = SettableClock()
    board = Board(levels={"rtt_s": ROUND_TRIPS}, clock=clock)
    for step in trace.steps:
        clock.advance(step.at - clock.elapsed())
        clock.jump(step.jump)
        known: State | None = "critical" if trace.known_by_source and not step.value else None
        board.put([Reading(trace.signal, step.value, "unit", "trace", known)])
        yield board.read()[trace.signal].state


def by_threshold(trace: Trace) -> Iterator[str]:
    """The same, by comparing each value with the level's entries and nothing else."""
    level = level_of(trace.signal, {"rtt_s": ROUND_TRIPS})
    for step in trace.steps:
        yield STATES[max(_severities(level, step.value))]


def _severities(level: Level, value: float) -> Iterator[int]:
    yield 0
    bands: tuple[Band | None, ...] = (level.constrained, level.critical)
    for severity, band in enumerate(bands, start=1):
        if band is not None and band.holds(value, already=False):
            yield severity


def judge(trace: Trace, states: Iterator[str]) -> Found:
    """Count the changes; time the first bad state in the trouble, and the first good one after it."""
    found = list(zip((step.at for step in trace.steps), states, strict=True))
    flips = sum(before != after for (_, before), (_, after) in pairwise(found))
    if trace.trouble is None:
        return Found(flips, None, None)
    begin, end = trace.trouble
    seen = next((at - begin for at, state in found if begin <= at < end and state != "normal"), None)
    over = next((at - end for at, state in found if at >= end and state == "normal"), None)
    return Found(flips, seen, over)


def table() -> str:
    """The rows of the page: medians over the seeds, and the most changes."""
    lines = [
        "| trace | state changes (at most) | seen after | over after | raw threshold: changes | over after |",
        "|---|---|---|---|---|---|",
    ]
    for make in TRACES:
        traces = [make(seed) for seed in (SEEDS if make is not recorded else SEEDS[:1])]
        ours = [judge(trace, on_a_board(trace)) for trace in traces]
        raw = [judge(trace, by_threshold(trace)) for trace in traces]
        flips = f"{median(f.flips for f in ours):.0f} ({max(f.flips for f in ours)})"
        times = (_seconds(f.detection for f in ours), _seconds(f.recovery for f in ours))
        raw_flips = f"{median(f.flips for f in raw):.0f}"
        cells = (traces[0].name, flips, *times, raw_flips, _seconds(f.recovery for f in raw))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _seconds(times: Iterable[float | None]) -> str:
    known = [time for time in times if time is not None]
    return f"{median(known):.0f} s" if known else "nobody knows"


def main() -> None:
    parser = argparse.ArgumentParser(description="Signals on traces, beside a raw threshold.")
    parser.add_argument("--write", action="store_true", help="put the table into docs/signals.md")
    made = table()
    if parser.parse_args().write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(before + BEGIN + made + END + after)
    print(made, end="")


if __name__ == "__main__":
    main()
