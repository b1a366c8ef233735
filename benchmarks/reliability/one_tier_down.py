"""`python -m benchmarks.reliability.one_tier_down`: a tier is gone, in each of three ways; then both are.

Requests that ask for `auto` and prefer the tier that is gone come at a steady rate. Half of them are streams.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.reliability.asking import Seen, ask, at_rate, percentile
from benchmarks.reliability.rig import POLICY, candidates, serving
from benchmarks.reliability.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.reliability.rig import Gateway

WAYS = ("refuses", "answers 500", "is silent")
DEADLINES = "[execution]\ntry_s = 1.0\nfirst_token_s = 1.0\n"  # or silence lasts minutes
SETTLE_S = 4.0  # breakers open in it


@dataclass(frozen=True, slots=True)
class Gone:
    """What clients saw while a tier, or both, were gone: from the first moment, and once it had settled."""

    name: str
    seen: list[Seen]
    settled: list[Seen]
    calls: int

    @property
    def answered(self) -> float:
        """The share that was answered, from the first moment on."""
        return sum(seen.is_answered for seen in self.seen) / len(self.seen)

    def ms(self, share: float) -> float:
        """A percentile of the time that it took, in milliseconds, once settled."""
        return 1e3 * percentile((seen.took_s for seen in self.settled), share)


async def lost(upstream: Upstream, way: str) -> None:
    """Take an endpoint away."""
    if way == "refuses":
        await upstream.refuse()
    upstream.how = "500" if way == "answers 500" else "silent"


async def during(name: str, gateway: Gateway, tiers: Sequence[Upstream], rate: float, seconds: float) -> Gone:
    """Ask for a while; what happens in the first seconds counts for the shares, not for the times."""

    def one(number: int) -> asyncio.Task[Seen]:
        return asyncio.create_task(ask(gateway.url, "stream" if number % 2 else "plain"))

    before = sum(len(tier.calls) for tier in tiers)
    first = await at_rate(rate, SETTLE_S, one)
    rest = await at_rate(rate, seconds, one)
    return Gone(name, first + rest, rest, sum(len(tier.calls) for tier in tiers) - before)


async def study(home: Path, way: str, rate: float, seconds: float) -> list[Gone]:
    """One tier gone, then both."""
    async with Upstream(service_s=0.01) as edge, Upstream(service_s=0.02) as cloud:
        with serving(home, POLICY + DEADLINES + candidates(edge, cloud)) as gateway:
            await at_rate(rate, 2.0, lambda _: asyncio.create_task(ask(gateway.url)))
            await lost(edge, way)
            one = await during(f"the edge {way}", gateway, (edge, cloud), rate, seconds)
            await lost(cloud, way)
            both = await during(f"both: each {way}", gateway, (edge, cloud), rate, seconds)
    return [one, both]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.reliability.one_tier_down", description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second (default: 50)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each, once settled (default: 15)")
    options = parser.parse_args(argv)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.rate:g} requests/s, {options.seconds:g} s each\n")
    print("| | requests | answered | calls | p50 | p99 | slowest | statuses |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    reached = True
    for way in WAYS:
        with tempfile.TemporaryDirectory(prefix="edgewise-down-") as folder:
            one, both = asyncio.run(study(Path(folder), way, options.rate, options.seconds))
        for gone in (one, both):
            statuses = ", ".join(str(status) for status in sorted({seen.status for seen in gone.seen}))
            times = " | ".join(f"{gone.ms(share):.0f} ms" for share in (0.5, 0.99, 1.0))
            share, count = f"{gone.answered:.2%}", len(gone.seen)
            print(f"| {gone.name} | {count} | {share} | {gone.calls} | {times} | {statuses} |", flush=True)
        reached &= one.answered >= 0.999 and both.ms(0.99) < 100.0
    return int(not reached)


if __name__ == "__main__":
    raise SystemExit(main())
