"""What a record costs: CPU of the whole process with the log on disk, less the same run with none.

    python -m benchmarks.log [--seconds 1.5] [--rounds 5] [--folder DIR] [--json]

N clients keep one core busy: each does some 60 µs of other work (a gateway's), writes, waits for the commit
and begins again. "plain" writes decision and outcome in one call, as the gateway does for a plain answer;
"stream" writes the decision first and the outcome at the end. Rounds with and without the log take turns;
the medians count. 250 characters are asked, 350 answered. "commit" is the writer's part alone, by the
number of records in a commit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Attempt, Decision, Outcome
from edgewise.domain.ids import mint
from edgewise.outcomes import SqliteLog
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgewise.domain.decisions import Record

PROMPT = "Explain the difference between a process and a thread, with an example, and say which to prefer. "
ASKED, ANSWERED = (PROMPT * 3)[:250], (PROMPT * 4)[:350]
WORK = range(2_500)  # some 60 µs of Python


class Nowhere:
    """A log that keeps nothing: what the clients themselves cost."""

    def append(self, *_: Record) -> Awaitable[None]:
        """Done at once."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def decision() -> Decision:
    return Decision(
        id=mint(),
        at=time.time(),
        chosen="smollm2-135m",
        location="edge",
        policy="explore(complexity, 0.02)",
        reason="optimal_edge",
        propensity=0.99,
        odds={"smollm2-135m": 0.99, "gpt-4o-mini": 0.01},
        shortlist=("smollm2-135m", "gpt-4o-mini"),
        evidence={
            "length": 1.0,
            "syntax": 0.8333333333333334,
            "emotion": 0.0,
            "score": 0.6875,
            "threshold": 0.75,
        },
        prompt=ASKED,
        micros=31.25,
    )


def outcome(of: Decision) -> Outcome:
    attempt = Attempt(
        candidate=of.chosen,
        status="ok",
        started_s=0.00012345,
        latency_s=0.12345678,
        ttft_s=0.0456789,
        http_status=200,
        input_tokens=61,
        output_tokens=84,
        cost_usd=0.0,
        cost_state="billed",
    )
    return Outcome(
        decision_id=of.id,
        at=time.time(),
        status="ok",
        candidate=of.chosen,
        latency_s=0.1236789,
        ttft_s=0.0458123,
        input_tokens=61,
        output_tokens=84,
        cost_usd=0.0,
        cost_state="billed",
        response=ANSWERED,
        attempts=(attempt,),
    )


async def run(append: Callable[..., Awaitable[None]], clients: int, seconds: float, *, stream: bool) -> float:
    """CPU microseconds a record, everything included."""
    until = time.perf_counter() + seconds
    records = 0

    async def client() -> None:
        nonlocal records
        while time.perf_counter() < until:
            decided = decision()
            if stream:
                committed = append(decided)
                sum(WORK)
                await committed
                await asyncio.sleep(0)
                await append(outcome(decided))
            else:
                sum(WORK)
                await asyncio.sleep(0)
                await append(decided, outcome(decided))
            records += 2

    before = time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return (time.process_time() - before) / records * 1e6


async def round_(folder: Path, clients: int, seconds: float, *, stream: bool) -> float:
    nothing = await run(Nowhere().append, clients, seconds / 2, stream=stream)
    path = Path(tempfile.mkdtemp(dir=folder)) / "log.sqlite"
    try:
        async with SqliteLog(path) as log:
            await log.append(decision())
            return await run(log.append, clients, seconds, stream=stream) - nothing
    finally:
        shutil.rmtree(path.parent)


def commit(folder: Path, pairs: int, records: int = 3_000) -> float:
    """CPU microseconds a record of the writer alone, `pairs` decisions with their outcomes in each commit."""
    path = Path(tempfile.mkdtemp(dir=folder)) / "log.sqlite"
    decisions = [decision() for _ in range(records // 2)]
    entries = [(None, (decided, outcome(decided))) for decided in decisions]
    connection = connect(path)
    try:
        before = time.thread_time()
        for start in range(0, len(entries), pairs):
            write(connection, entries[start : start + pairs])
        return (time.thread_time() - before) / records * 1e6
    finally:
        connection.close()
        shutil.rmtree(path.parent)


def measure(folder: Path, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Median CPU microseconds a record, by kind of answer and number of clients."""
    if sys.platform == "win32":
        loop_factory = None
    else:
        import uvloop  # noqa: PLC0415 - not on every platform

        loop_factory = uvloop.new_event_loop
    cases = [(kind, clients) for kind in ("plain", "stream") for clients in (1, 4, 16, 64)]
    found: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for kind, clients in cases:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                cost = runner.run(round_(folder, clients, seconds, stream=kind == "stream"))
            found[kind, clients].append(cost)
    commits = {
        str(2 * pairs): round(statistics.median(commit(folder, pairs) for _ in range(rounds)), 2)
        for pairs in (1, 4, 16, 64)
    }
    return {
        kind: {
            str(clients): round(statistics.median(found[kind, clients]), 2)
            for k, clients in cases
            if k == kind
        }
        for kind in ("plain", "stream")
    } | {"commit": commits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    costs = measure(options.folder, options.seconds, options.rounds)
    if options.json:
        print(json.dumps(costs))
        return
    for kind, by_clients in costs.items():
        unit = "records" if kind == "commit" else "clients"
        for count, cost in by_clients.items():
            print(f"{kind:<7} {count:>4} {unit}  {cost:6.1f} µs CPU a record")


if __name__ == "__main__":
    main()
