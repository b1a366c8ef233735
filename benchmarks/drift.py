"""Which detector tells a model that has become worse from noise: four of them on 200 seeded streams.

    python -m benchmarks.drift [--json]

A stream has 4,000 numbers: by how much quality fell short of its forecast (judged in grades, or a thumb), or
the logarithm of latency over its forecast, five at a time (each answer by itself, or slow with the one before
it). 40 streams stay as they are, with a forecast that is a little wrong throughout, as forecasts are; in 120
something breaks at a random place between 1,000 and 2,000; in 40 the forecast is wrong from the first number
on, and the delay is the number at which that is seen. Each detector's threshold is first set on 300
other, stable streams to the lowest with at most 8 false alarms (one in 150,000 numbers), so that what is
compared is how soon each sees a change at the same peace.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detectors import Adwin, Cusum, PageHinkley
from edgewise.monitors.drift.evidence import ENOUGH, Evidence
from edgewise.monitors.drift.stream import FASTEST, SLOWEST, TOGETHER, TOLERATED

Numbers = list[tuple[float, float]]  # each with the least that it could have been

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = 4000
FAMILIES = ("thumbs", "judged", "latency", "busy")
CHANGES = ("stable", "sudden", "small", "gradual", "wrong")
SLOW = ("latency", "busy")
SIZES = (  # of quality; of the logarithm of latency: twice, half as long again
    {"stable": 0.0, "sudden": 0.25, "small": 0.12, "gradual": 0.25, "wrong": 0.15},
    {"stable": 0.0, "sudden": 0.7, "small": 0.4, "gradual": 0.7, "wrong": 0.5},
)
FALSE_ALARMS = 8
TUNING = 300


class Tuned:
    """Our detector with another threshold than its own."""

    def __init__(self, harder: float, tolerated: float) -> None:
        self._evidence, self._enough = Evidence(tolerated), 10.0**harder

    def see(self, number: float, least: float) -> bool:
        """Take the next number; whether it is enough."""
        self._evidence.see(number, least)
        return self._evidence.value >= self._enough


DETECTORS: dict[str, tuple[Callable[[float, float], Any], float]] = {
    "e-detector": (Tuned, float(np.log10(ENOUGH))),
    "CUSUM": (Cusum, 5.0),
    "Page-Hinkley": (lambda harder, _: PageHinkley(harder), 50.0),
    "ADWIN": (lambda harder, _: Adwin(harder), 2.7),
}
GRIDS = {
    "e-detector": np.arange(1.0, 9.0, 0.25),
    "CUSUM": np.arange(2.0, 80.0, 1.0),
    "Page-Hinkley": np.arange(1.0, 120.0, 1.0),
    "ADWIN": np.arange(0.5, 30.0, 0.5),
}


def tolerated(family: str) -> float:
    """What is let pass of such numbers."""
    return TOLERATED["latency_s" if family in SLOW else "quality", "forecast"]


def stream(family: str, change: str, seed: int) -> tuple[Numbers, int]:
    """A stream, each number with the least that it could have been, and where it breaks (or its length)."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), CHANGES.index(change)])
    at = {"stable": LENGTH, "wrong": 0}.get(change, int(rng.integers(1000, 2000)))
    size = SIZES[family in SLOW][change]
    ramp = 1000 if change == "gradual" else 1
    shift = size * np.clip((np.arange(LENGTH) - at + 1) / ramp, 0.0, 1.0)
    bias = rng.uniform(-0.8, 0.8) * tolerated(family)
    if family in ("thumbs", "judged"):
        forecast = rng.uniform(0.6, 0.95, LENGTH)
        quality = np.clip(forecast - shift - bias, 0.02, 0.98)
        found = rng.random(LENGTH) < quality if family == "thumbs" else rng.beta(6 * quality, 6 - 6 * quality)
        return list(zip((forecast - found).tolist(), (forecast - 1.0).tolist(), strict=True)), at
    noise = rng.standard_t(4, (LENGTH, TOGETHER["latency_s"])).ravel() * 0.3
    if family == "busy":  # what is slow now is slow in a moment
        for n in range(1, len(noise)):
            noise[n] = 0.6 * noise[n - 1] + 0.8 * noise[n]
    means = (noise + np.repeat(shift + bias, TOGETHER["latency_s"])).clip(FASTEST, SLOWEST)
    return [(number, FASTEST) for number in means.reshape(LENGTH, -1).mean(axis=1).tolist()], at


def first_alarm(detector: Any, numbers: Numbers) -> int | None:
    """After how many numbers it says so."""
    ours = isinstance(detector, Tuned)
    for place, (number, least) in enumerate(numbers, 1):
        if detector.see(number, least) if ours else detector.see(number):
            return place
    return None


def tuned(name: str, quiet: list[tuple[str, Numbers]]) -> float:
    """The lowest threshold that keeps its peace, by halving: fewer alarms the harder it is."""
    make, grid = DETECTORS[name][0], GRIDS[name]
    low, high = 0, len(grid) - 1
    while low < high:
        middle = (low + high) // 2
        alarms = 0
        for family, numbers in quiet:
            alarms += first_alarm(make(float(grid[middle]), tolerated(family)), numbers) is not None
            if alarms > FALSE_ALARMS:
                break
        low, high = (low, middle) if alarms <= FALSE_ALARMS else (middle + 1, high)
    return float(grid[low])


def measured(name: str, threshold: float, streams: list[tuple[str, str, Numbers, int]]) -> dict[str, Any]:
    """False alarms, changes that were seen, and after how many numbers, by kind of change and by family."""
    make = DETECTORS[name][0]
    false, delays, missed = 0, dict[str, list[int]](), dict[str, int]()
    began, seen = process_time(), 0
    for family, change, numbers, at in streams:
        place = first_alarm(make(threshold, tolerated(family)), numbers)
        seen += len(numbers) if place is None else place
        early = place is not None and place <= at
        false += early
        if change == "stable" or early:
            continue
        for kind in (change, family) if change != "wrong" else (change,):
            delays.setdefault(kind, []).append(LENGTH if place is None else place - at)
            missed[kind] = missed.get(kind, 0) + (place is None)
    micros = (process_time() - began) * 1e6 / seen
    found = {kind: {"median_delay": median(each), "missed": missed[kind], "of": len(each)}
             for kind, each in delays.items()}  # fmt: skip
    return {"threshold": threshold, "false_alarms": false, "micros": round(micros, 2), **found}


def compared() -> dict[str, Any]:
    """The whole comparison: at equal peace, and with each one's usual threshold."""
    quiet = [
        (family, stream(family, "stable", 10_000 + n)[0]) for n in range(TUNING // 4) for family in FAMILIES
    ]
    kinds = [(f, c) for f in FAMILIES for c in CHANGES]
    streams = [(f, c, *stream(f, c, seed * 2 + place % 2))
               for seed in range(10) for place, (f, c) in enumerate(kinds)]  # fmt: skip
    assert len(streams) == 200
    return {
        name: {
            "equal": measured(name, tuned(name, quiet), streams),
            "usual": measured(name, usual, streams),
        }
        for name, (_, usual) in DETECTORS.items()
    }


def page(found: dict[str, Any]) -> str:
    """The tables of docs/drift.md."""
    lines: list[str] = []
    columns = (*CHANGES[1:], *FAMILIES)
    for how in ("equal", "usual"):
        lines += [
            f"| {how} | threshold | false alarms | {' | '.join(columns)} | µs |",
            "|---" * (len(columns) + 4) + "|",
        ]
        for name, both in found.items():
            row = both[how]
            cells = [
                f"{row[c]['median_delay']:.0f}" + (f" ({row[c]['missed']} missed)" * bool(row[c]["missed"]))
                if c in row
                else "-"
                for c in columns
            ]
            lines.append(
                f"| {name} | {row['threshold']:g} | {row['false_alarms']} of 200 | {' | '.join(cells)} | "
                f"{row['micros']} |"
            )
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    result = compared()
    print(json.dumps(result, indent=1) if parser.parse_args().json else page(result))
