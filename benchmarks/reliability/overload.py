"""`python -m benchmarks.reliability.overload`: more is asked of a candidate than it can do.

The endpoint answers a few calls at a time, each in a fixed time, and lets the others wait without bound, as
model servers do. Offered are half of that, all of it, and three times as much; twice: where the configuration
says how many calls it answers at a time (`slots`), and where Edgewise has to find out.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.reliability.asking import Seen, ask, at_rate, percentile
from benchmarks.reliability.rig import PICTURES, POLICY, candidates, serving
from benchmarks.reliability.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOTS, SERVICE_S = 8, 0.4
CAPACITY = SLOTS / SERVICE_S
LOADS = (0.5, 1.0, 3.0)
MOST_SLOWER = 3.0
LEAST_GOODPUT = 0.9


@dataclass(frozen=True, slots=True)
class Step:
    """One load: how many times the capacity was offered, for how long, and what clients saw of it.

    What began in the first `warm_s` is left out: a limit that has to be found is found in it.
    """

    load: float
    began: float
    seconds: float
    warm_s: float
    seen: list[Seen]

    @property
    def counted(self) -> list[Seen]:
        """The requests that began after the warm-up."""
        return [seen for seen in self.seen if seen.at >= self.began + self.warm_s]

    @property
    def admitted(self) -> list[Seen]:
        """Those of them that were answered."""
        return [seen for seen in self.counted if seen.is_answered]

    @property
    def goodput(self) -> float:
        """Answers a second, by when they came, while the load lasted."""
        since, until = self.began + self.warm_s, self.began + self.seconds
        ends = [seen.at + seen.took_s for seen in self.seen if seen.is_answered]
        return sum(since <= end < until for end in ends) / (until - since)

    def ms(self, share: float) -> float:
        """A percentile of what the admitted ones waited, in milliseconds."""
        return 1e3 * percentile((seen.took_s for seen in self.admitted), share)


async def climb(home: Path, more: str, seconds: float, warm_s: float) -> list[Step]:
    """Each load in turn, on one gateway."""
    steps: list[Step] = []
    async with Upstream(service_s=SERVICE_S, slots=SLOTS) as edge:
        with serving(home, POLICY + candidates(edge, more=more)) as gateway:

            def one(number: int) -> asyncio.Task[Seen]:
                del number
                return asyncio.create_task(ask(gateway.url))

            for load in LOADS:
                began = monotonic()
                seen = await at_rate(load * CAPACITY, seconds, one)
                steps.append(Step(load, began, seconds, warm_s, seen))
    return steps


def draw(found: dict[str, list[Step]], path: Path) -> None:
    """Goodput and the p99 of the admitted, over time, at three times the capacity."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the study draws

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for name, steps in found.items():
        step = steps[-1]
        good = [seen for seen in step.seen if seen.is_answered]
        times = range(int(step.seconds))
        ends = Counter(int(seen.at + seen.took_s - step.began) for seen in good)
        above.plot(times, [ends[t] for t in times], linewidth=1, label=name)
        began = [[s.took_s for s in good if int(s.at - step.began) == t] for t in times]
        below.plot(times, [1e3 * percentile(took, 0.99) for took in began], linewidth=1, label=name)
    above.axhline(CAPACITY, linewidth=0.8, linestyle=":", color="black")
    above.set_ylabel("answers a second", fontsize=8)
    below.set_ylabel("p99 of the admitted (ms)", fontsize=8)
    for axes in (above, below):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.supxlabel("seconds at three times the capacity", fontsize=8)
    figure.savefig(path, dpi=80)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load (default: 30)")
    parser.add_argument("--warm", type=float, default=10.0, help="of them not counted (default: 10)")
    parser.add_argument("--write", action="store_true", help="draw docs/pictures/overload.png")
    options = parser.parse_args(argv)
    found: dict[str, list[Step]] = {}
    for name, more in ((f"slots = {SLOTS}", f"slots = {SLOTS}"), ("slots unknown", "")):
        with tempfile.TemporaryDirectory(prefix="edgewise-overload-") as folder:
            found[name] = asyncio.run(climb(Path(folder), more, options.seconds, options.warm))
    if options.write:
        draw(found, PICTURES / "overload.png")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {options.seconds:g} s each, the first {options.warm:g} s left out\n"
    )
    print("| | offered | answers a second | p50 | p99 | others |")
    print("|---|---|---|---|---|---|")
    reached = True
    for name, steps in found.items():
        for step in steps:
            others = Counter(seen.status for seen in step.counted if not seen.is_answered)
            told = (
                ", ".join(f"{status or 'no answer'}: {count}" for status, count in others.items()) or "none"
            )
            print(
                f"| {name} | {step.load:g} times | {step.goodput:.1f} | {step.ms(0.5):.0f} ms "
                f"| {step.ms(0.99):.0f} ms | {told} |"
            )
        idle, _, most = steps
        peak = max(step.goodput for step in steps)
        reached &= most.goodput >= LEAST_GOODPUT * peak and most.ms(0.99) <= MOST_SLOWER * idle.ms(0.99)
    return int(not reached)


if __name__ == "__main__":
    raise SystemExit(main())
