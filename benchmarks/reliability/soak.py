"""`python -m benchmarks.reliability.soak --minutes 60`: answers, streams, hang-ups and faults, for long.

Half of what the gateway answers at most, measured first. Sampled are resident memory, descriptors and asyncio
tasks; at the end the log is asked whether every decision has exactly one outcome.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.reliability.asking import Seen, ask
from benchmarks.reliability.rig import PICTURES, POLICY, Gateway, candidates, serving
from benchmarks.reliability.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.reliability.asking import Kind
    from benchmarks.reliability.upstream import How

FAULTS: dict[How, float] = {"500": 0.02, "reset": 0.01, "malformed": 0.01, "cut": 0.01}
KINDS: dict[Kind, float] = {"plain": 0.55, "stream": 0.3, "stream cancelled": 0.1, "plain cancelled": 0.05}
AT_ONCE = 16
MOST_OPEN = 64  # a machine that has no time for a while shall not make this a study of overload
EVERY_S = 5.0
MOST_GROWTH_MB = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The gateway at one time: seconds since the beginning, megabytes, and counts."""

    at_s: float
    rss_mb: float
    descriptors: int
    tasks: int
    served: int


async def one(gateway: Gateway, number: int, seed: int) -> Seen:
    """The n-th request of a mix; what it is, and when it is given up, comes from the seed."""
    dice = Random(f"{seed}:{number}")
    (kind,) = dice.choices(list(KINDS), list(KINDS.values()))
    return await ask(gateway.url, kind, after_s=dice.uniform(0.001, 0.04))


async def mixed(gateway: Gateway, count: int, *, seed: int, at_once: int = AT_ONCE) -> list[Seen]:
    """So many requests of the mix, a few at a time."""
    numbers = iter(range(count))

    async def some() -> list[Seen]:
        return [await one(gateway, number, seed) for number in numbers]

    return [seen for part in await asyncio.gather(*(some() for _ in range(at_once))) for seen in part]


async def sampled(gateway: Gateway, began: float, served: int) -> Sample:
    """The gateway now."""
    tasks = await gateway.tasks()
    return Sample(monotonic() - began, gateway.rss_mb, gateway.descriptors, tasks, served)


async def soak(home: Path, minutes: float, rate: float, seed: int) -> tuple[list[Sample], list[Seen], float]:
    """The samples, what clients saw, and the rate that was offered."""
    async with (
        Upstream(service_s=0.005, faults=FAULTS, seed=seed) as edge,
        Upstream(service_s=0.02, faults=FAULTS, seed=seed + 1) as cloud,
    ):
        with serving(home, POLICY + candidates(edge, cloud)) as gateway:
            if not rate:
                before = monotonic()
                count = len(await mixed(gateway, 3000, seed=seed))
                rate = 0.5 * count / (monotonic() - before)
            began, seen, tasks = monotonic(), list[Seen](), set[asyncio.Task[Seen]]()
            samples, sent = [await sampled(gateway, began, 0)], 0
            while (now := monotonic() - began) < 60.0 * minutes:
                while sent < now * rate and len(tasks) < MOST_OPEN:
                    task = asyncio.create_task(one(gateway, sent, seed + 1))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                    task.add_done_callback(lambda done: seen.append(done.result()))
                    sent += 1
                if now - samples[-1].at_s >= EVERY_S:
                    samples.append(await sampled(gateway, began, len(seen)))
                await asyncio.sleep(0.002)
            await asyncio.gather(*tasks)
            await asyncio.sleep(2.0)  # those that were given up reach the log
            samples.append(await sampled(gateway, began, len(seen)))
    return samples, seen, rate


def unpaired(log: Path) -> tuple[int, int]:
    """How many decisions the log holds, and how many of them have no outcome (nor can any have two)."""
    with closing(sqlite3.connect(log)) as db:
        (decisions,) = db.execute("SELECT count(*) FROM decisions").fetchone()
        (without,) = db.execute(
            "SELECT count(*) FROM decisions WHERE id NOT IN (SELECT decision_id FROM outcomes)"
        ).fetchone()
    return decisions, without


def growth(samples: Sequence[Sample]) -> tuple[float, int, int]:
    """What memory (MB), descriptors and tasks grew by: median of the last tenth, less the second tenth's.

    The first tenth is warm-up: caches fill, and connections to the candidates are opened.
    """
    tenth = max(1, len(samples) // 10)
    early, late = samples[tenth : 2 * tenth], samples[-tenth - 1 : -1]  # the very last is idle

    def grown(of: Callable[[Sample], float]) -> float:
        return median(map(of, late)) - median(map(of, early))

    descriptors, tasks = grown(lambda s: s.descriptors), grown(lambda s: s.tasks)
    return grown(lambda s: s.rss_mb), round(descriptors), round(tasks)


def draw(samples: Sequence[Sample], path: Path, title: str) -> None:
    """Memory, descriptors and tasks over time, one below the other."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the study draws

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    figure.suptitle(title, fontsize=10)
    minutes = [sample.at_s / 60 for sample in samples]
    shown = {
        "memory (MB)": [sample.rss_mb for sample in samples],
        "descriptors": [sample.descriptors for sample in samples],
        "tasks": [sample.tasks for sample in samples],
    }
    for axes, (name, values) in zip(figure.subplots(3, 1, sharex=True), shown.items(), strict=True):
        axes.plot(minutes, values, linewidth=1)
        axes.set_ylabel(name, fontsize=8)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.supxlabel("minutes", fontsize=8)
    figure.savefig(path, dpi=80)


def main(argv: Sequence[str] | None = None) -> int:
    options = parsed(argv)
    with tempfile.TemporaryDirectory(prefix="edgewise-soak-") as folder:
        home = Path(folder)
        samples, seen, rate = asyncio.run(soak(home, options.minutes, options.rate, options.seed))
        decisions, without = unpaired(home / "edgewise.sqlite")
        printed = (home / "stderr").read_text()
    memory, descriptors, tasks = growth(samples)
    kinds, ends = Counter(s.kind for s in seen), Counter(s.status for s in seen)
    minutes = samples[-1].at_s / 60
    print(f"{datetime.now(UTC):%Y-%m-%d}, {minutes:.0f} minutes, {rate:.0f} requests/s, {len(seen):,} in all")
    print(", ".join(f"{count:,} {kind}" for kind, count in kinds.items()))
    print("ended with " + ", ".join(f"{status or 'no answer'}: {n:,}" for status, n in ends.most_common()))
    print(f"memory {samples[0].rss_mb:.1f} MB at the start, {memory:+.1f} MB after the first tenth")
    print(f"descriptors {descriptors:+d}, tasks {tasks:+d}; idle at the end: {samples[-1]}")
    print(f"{decisions:,} decisions, {without} without an outcome")
    if "Traceback" in printed:
        print(printed[-3000:])
    if options.write:
        draw(samples, PICTURES / "soak.png", f"{minutes:.0f} minutes at {rate:.0f} requests/s")
    if options.samples:
        options.samples.write_text(json.dumps([asdict(sample) for sample in samples]))
    return int(memory > MOST_GROWTH_MB or without > 0 or "Traceback" in printed)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0 is half of the most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="draw docs/pictures/soak.png")
    parser.add_argument("--samples", type=Path, help="write what was sampled to this file, as JSON")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
