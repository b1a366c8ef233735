"""`python -m benchmarks.reliability.storm`: an endpoint begins to answer with 500s, and stops doing so.

Twice: with another tier beside it, and alone. From the endpoint's side it is read when it was left alone, how
many calls it saw, and when it had its work back. Half of the requests are streams.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
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

CALM_S, STORM_S, AFTER_S = 5.0, 20.0, 20.0
STEP_S = 0.5
QUIET = 0.1  # of the load: what an open breaker lets through
WELL = 0.9


@dataclass(frozen=True, slots=True)
class Storm:
    """What one storm was like: seconds, counts and shares; `began` and `ended` on the clock of `seen`."""

    began: float
    ended: float
    rate: float
    seen: list[Seen]
    edge_calls: list[float]
    cloud_calls: list[float]

    @property
    def opened_s(self) -> float:
        """Seconds until the first half of one in which the endpoint got less than a tenth of the load."""
        for step in range(int(STORM_S / STEP_S)):
            since = self.began + step * STEP_S
            if _within(self.edge_calls, since, since + STEP_S) < QUIET * self.rate * STEP_S:
                return step * STEP_S
        return float("inf")

    @property
    def calls_a_request(self) -> float:
        """Calls to all endpoints while it lasted, over requests."""
        calls = _within(self.edge_calls, self.began, self.ended)
        calls += _within(self.cloud_calls, self.began, self.ended)
        return calls / max(1, len(self.during))

    @property
    def edge_share(self) -> float:
        """Calls to the failing endpoint while it lasted, over requests."""
        return _within(self.edge_calls, self.began, self.ended) / max(1, len(self.during))

    @property
    def recovered_s(self) -> float:
        """From the storm's end to the first second of which the endpoint answered nine in ten requests."""
        for step in range(int(AFTER_S / STEP_S) - 1):
            since = self.ended + step * STEP_S
            here = [seen for seen in self.seen if since <= seen.at < since + 1.0]
            edges = sum(seen.is_answered and seen.candidate == "edge" for seen in here)
            if here and edges >= WELL * len(here):
                return step * STEP_S
        return float("inf")

    @property
    def during(self) -> list[Seen]:
        """The requests that began while it lasted."""
        return [seen for seen in self.seen if self.began <= seen.at < self.ended]

    @property
    def answered(self) -> float:
        """The share of those that were answered."""
        return sum(seen.is_answered for seen in self.during) / max(1, len(self.during))


def _within(times: Sequence[float], since: float, until: float) -> int:
    return sum(since <= at < until for at in times)


async def storm(home: Path, rate: float, *, alone: bool) -> Storm:
    """One storm at so many requests a second."""
    async with AsyncExitStack() as stack:
        edge = await stack.enter_async_context(Upstream(service_s=0.01))
        cloud = None if alone else await stack.enter_async_context(Upstream(service_s=0.01))
        gateway = stack.enter_context(serving(home, POLICY + candidates(edge, cloud)))
        times: list[float] = []

        async def weather() -> None:
            await asyncio.sleep(CALM_S)
            edge.how = "500"
            times.append(monotonic())
            await asyncio.sleep(STORM_S)
            edge.how = "ok"
            times.append(monotonic())

        def one(number: int) -> asyncio.Task[Seen]:
            return asyncio.create_task(ask(gateway.url, "stream" if number % 2 else "plain"))

        changing = asyncio.create_task(weather())
        seen = await at_rate(rate, CALM_S + STORM_S + AFTER_S, one)
        await changing
    return Storm(times[0], times[1], rate, seen, edge.calls, cloud.calls if cloud else [])


def draw(storms: dict[str, Storm], path: Path) -> None:
    """Calls a second to the failing endpoint, and answers a second from each tier."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the study draws

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    for axes, (name, found) in zip(figure.subplots(2, 1, sharex=True), storms.items(), strict=True):
        start = found.began - CALM_S
        steps = [n * STEP_S for n in range(int((CALM_S + STORM_S + AFTER_S) / STEP_S))]
        good = [seen for seen in found.seen if seen.is_answered]
        shown = {
            "calls that the endpoint saw": found.edge_calls,
            "answers from it": [seen.at for seen in good if seen.candidate == "edge"],
            "answers from the other": [seen.at for seen in good if seen.candidate == "cloud"],
        }
        for label, times in shown.items():
            if times:
                at = [_within(times, start + t, start + t + STEP_S) / STEP_S for t in steps]
                axes.plot(steps, at, linewidth=1, label=label)
        axes.axvspan(CALM_S, CALM_S + STORM_S, alpha=0.1, color="red")
        axes.set_title(name, fontsize=9)
        axes.set_ylabel("a second", fontsize=8)
        axes.legend(fontsize=7)
    figure.supxlabel("seconds", fontsize=8)
    figure.savefig(path, dpi=80)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.storm", description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second (default: 50)")
    parser.add_argument("--write", action="store_true", help="draw docs/pictures/storm.png")
    options = parser.parse_args(argv)
    storms: dict[str, Storm] = {}
    for name, alone in (("beside another tier", False), ("alone", True)):
        with tempfile.TemporaryDirectory(prefix="edgewise-storm-") as folder:
            storms[name] = asyncio.run(storm(Path(folder), options.rate, alone=alone))
    if options.write:
        draw(storms, PICTURES / "storm.png")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.rate:g} requests/s, {STORM_S:g} s of 500s\n")
    print("| | left alone after | it saw, a request | all calls, a request | answered | p99 | back after |")
    print("|---|---|---|---|---|---|---|")
    reached = True
    for name, found in storms.items():
        is_last = not found.cloud_calls  # it is asked all the same, as long as it fails at once
        p99 = percentile((seen.took_s for seen in found.during), 0.99)
        alone_after = "never: it is the last" if is_last else f"{found.opened_s:.1f} s"
        print(
            f"| {name} | {alone_after} | {found.edge_share:.3f} | {found.calls_a_request:.3f} "
            f"| {found.answered:.2%} | {1e3 * p99:.0f} ms | {found.recovered_s:.1f} s |"
        )
        reached &= (is_last or found.opened_s <= 5.0) and found.calls_a_request <= 1.2
        reached &= found.recovered_s <= 15.0
    return int(not reached)


if __name__ == "__main__":
    raise SystemExit(main())
