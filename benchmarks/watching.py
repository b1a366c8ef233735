"""What watching the traffic costs: `python -m benchmarks.watching`, in microseconds of CPU a request.

One request is a decision and its outcome, as the log's observer sees them. The pieces are measured in turns,
and the figure of each is the median of its rounds.
"""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

from edgewise.domain.decisions import Attempt, Decision, Outcome
from edgewise.domain.ids import mint
from edgewise.monitors.metrics import Traffic, page
from edgewise.monitors.production import ProductionMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.decisions import Record

REQUESTS = 20_000
ROUNDS = 7
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
            for decision, outcome in stories:
                watch(decision)
                watch(outcome)
            found.setdefault(name, []).append((process_time() - began) / REQUESTS * 1e6)
        began = process_time()
        page(traffic.families())
        found.setdefault("one page of /metrics", []).append((process_time() - began) * 1e6)
    return {name: median(rounds) for name, rounds in found.items()}


def _story(number: int) -> tuple[Record, Record]:
    names = list(PLACES)
    name = names[number % len(names)]
    decision = Decision(
        id=mint(),
        at=1.0,
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
    spent: dict[str, Any] = {"input_tokens": 80 + number % 400, "output_tokens": 40 + number % 90, "cost_usd": 0.0003}
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
        at=2.0,
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
    for who, micros in measured().items():
        print(f"{who:<22} {micros:7.2f} µs")
