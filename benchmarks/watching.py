"""What watching the traffic costs: `python -m benchmarks.watching`, in microseconds of CPU a request.

One request is a decision and its outcome, as the log's observer sees them. The pieces are measured in turns,
and the figure of each is the least of many short rounds, since others on the machine can only add to it.
With `--start 1000000` a log gets as many requests of seven days, and it says in seconds what the first start
on it takes, and the next.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import process_time, time
from typing import TYPE_CHECKING, Any

from edgewise.domain.decisions import Attempt, Decision, Outcome
from edgewise.domain.ids import mint
from edgewise.monitors.metrics import Traffic, page
from edgewise.monitors.production import ProductionMonitor
from edgewise.monitors.production.stored import Tallies
from edgewise.outcomes import LogReader
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.decisions import Record

REQUESTS = 1000  # few enough to stay in the cache, as a record that has just been made does
TIMES = 2
ROUNDS = 200
BATCH = 10_000  # requests in one commit
WEEK_S = 604_800.0
PLACES: dict[str, Any] = {f"candidate-{number}": ("edge", "cloud")[number % 2] for number in range(6)}


def records(requests: int = REQUESTS) -> list[tuple[Record, Record]]:
    """Streams over six candidates, one in fifty of them failed."""
    return [_story(number) for number in range(requests)]


def measured() -> dict[str, float]:
    """Microseconds of CPU a request, by who watches."""
    stories = records()
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        monitor, traffic = ProductionMonitor(PLACES), Traffic(PLACES)

        def both(record: Record, one: Any = monitor.observe, two: Any = traffic.observe) -> None:
            one(record)
            two(record)

        watchers: dict[str, Callable[[Record], None]] = {
            "the monitor": ProductionMonitor(PLACES).observe,
            "the metrics": Traffic(PLACES).observe,
            "both": both,
        }
        for name, watch in watchers.items():
            began = process_time()
            for _ in range(TIMES):
                for decision, outcome in stories:
                    watch(decision)
                    watch(outcome)
            found.setdefault(name, []).append((process_time() - began) / REQUESTS / TIMES * 1e6)
        began = process_time()
        page(traffic.families())
        found.setdefault("one page of /metrics", []).append((process_time() - began) * 1e6)
    return {name: min(rounds) for name, rounds in found.items()}


def started(requests: int) -> dict[str, float]:
    """Seconds of CPU that a monitor needs to know a week of so many requests."""
    with tempfile.TemporaryDirectory() as name:
        folder, now = Path(name), time()
        log = connect(folder / "log.sqlite")
        for first in range(0, requests, BATCH):
            ats = [
                now - WEEK_S * (1.0 - n / requests) - 1.0 for n in range(first, min(requests, first + BATCH))
            ]
            stories = [_story(first + n, at) for n, at in enumerate(ats)]
            write(log, [(None, tuple(record for both in stories for record in both))])
        log.close()
        reader = LogReader(folder / "log.sqlite")
        found: dict[str, float] = {}
        for start in ("the first start", "the next start"):
            began = process_time()
            monitor = ProductionMonitor(PLACES)
            tallies = Tallies(folder, reader)
            tallies.update(monitor.edges, monitor.since)
            monitor.load(reader, tallies)
            found[start] = process_time() - began
            assert abs(monitor.window("7d").requests - requests) < requests / 100
        reader.close()
        return found


def _story(number: int, at: float = 2.0) -> tuple[Record, Record]:
    names = list(PLACES)
    name = names[number % len(names)]
    decision = Decision(
        id=mint(),
        at=at - 1.0,
        chosen=name,
        location=PLACES[name],
        policy="explore(complexity, 0.02)",
        reason="optimal_edge" if number % 2 else "high_complexity",
        propensity=1.0,
        odds={name: 1.0},
        shortlist=(name,),
        micros=40.0 + number % 17,
    )
    took = 0.2 + number % 97 / 50
    status: Any = "error" if number % 50 == 0 else "ok"
    spent: dict[str, Any] = {
        "input_tokens": 80 + number % 400,
        "output_tokens": 40 + number % 90,
        "cost_usd": 0.0003,
    }
    attempt = Attempt(
        candidate=name,
        status=status,
        started_s=0.001,
        latency_s=took,
        ttft_s=0.1,
        cost_state="billed",
        **spent,
    )
    outcome = Outcome(
        decision_id=decision.id,
        at=at,
        status=status,
        candidate=name,
        latency_s=took + 0.0015,
        ttft_s=0.101,
        cost_state="billed",
        attempts=(attempt,),
        **spent,
    )
    return decision, outcome


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--start", type=int, metavar="N", help="measure a start on a log of N requests")
    wanted = options.parse_args().start
    if wanted:
        for what, seconds in started(wanted).items():
            print(f"{what:<22} {seconds:7.2f} s")
    else:
        for who, micros in measured().items():
            print(f"{who:<22} {micros:7.2f} µs")
