"""What signals cost: looking them up, judging by them, and reading the world in the background.

    python -m benchmarks.signals [--seconds 20] [--json]

A request looks up every signal and asks every constraint about every candidate; the median of many
rounds counts. Sampling is the CPU time of a process that does nothing else, with the monitors of this
machine at their usual intervals, less the same with none; the first second (imports, the first look at
everything) is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import TYPE_CHECKING

from edgewise.constraints import constraints_for, shortlist
from edgewise.domain.candidates import Price
from edgewise.domain.ids import mint
from edgewise.domain.requests import Request
from edgewise.domain.signals import Reading
from edgewise.monitors import Board, board_for
from edgewise.settings import CandidateSettings, Settings, describe
from edgewise.settings.schema import BudgetSettings, SignalsSettings

if TYPE_CHECKING:
    from collections.abc import Callable

MACHINE = (
    *("link", "metered", "cpu", "load", "memory", "memory_free", "gpu", "gpu_memory", "gpu_memory_free"),
    *("pressure_cpu", "pressure_memory", "pressure_io", "temperature", "battery", "mains"),
    *("spent_usd", "budget_usd"),
)
CANDIDATE = (
    *("online", "rtt_s", "first_byte_s", "failures"),
    *("in_flight", "queue_wait_s", "latency_s", "loaded"),
)
SETTINGS = Settings(
    candidates=(
        CandidateSettings("phi", "edge", url="http://127.0.0.1:11434/v1"),
        CandidateSettings("nas", "edge", url="http://192.168.1.20:8000/v1"),
        CandidateSettings("mini", "cloud", url="https://api.example.com/v1", price=Price(0.15, 0.6)),
        CandidateSettings("large", "cloud", url="https://api.example.com/v1", price=Price(5.0, 20.0)),
    ),
    budget=BudgetSettings(usd_per_day=10.0, usd_per_request=0.5),
)
ROUNDS, CALLS = 30, 2_000


def filled() -> Board:
    """A board with everything that there is to know, and nothing wrong."""
    board = Board()
    names = [*MACHINE, *(f"{name}:{c.id}" for c in SETTINGS.candidates for name in CANDIDATE)]
    good = {"battery": 1.0, "link": 1.0, "mains": 1.0, "budget_usd": 10.0}
    board.put((Reading(name, good.get(name, 0.05), "unit", "bench") for name in names), ttl_s=3600.0)
    return board


def micros(call: Callable[[], object]) -> float:
    """Microseconds of CPU a call."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(CALLS):
            call()
        rounds.append((time.thread_time() - begun) / CALLS * 1e6)
    return median(rounds)


def lookups() -> dict[str, float]:
    """Microseconds for what a request does."""
    board, request = filled(), Request(mint(), "Hi", "Hi", b"{}")
    candidates, rules = tuple(describe(c) for c in SETTINGS.candidates), constraints_for(SETTINGS)
    push = [Reading("rtt_s:mini", 0.05, "s", "bench")]
    kept, objections = shortlist(request, candidates, rules, board.read())
    assert len(kept) == len(candidates)
    assert not objections
    return {
        "signals": len(board.read()),
        "board.read()": micros(board.read),
        "every value of them": micros(lambda: [signal.value for signal in board.read().values()]),
        "read, and all constraints on 4 candidates": micros(
            lambda: shortlist(request, candidates, rules, board.read())
        ),
        "put, one reading": micros(lambda: board.put(push)),
    }


def sampling(seconds: float, settings: SignalsSettings) -> float:
    """The share of a core that reading this machine takes."""
    with board_for(settings):
        time.sleep(1.0)
        cpu, wall = time.process_time(), time.monotonic()
        time.sleep(seconds)
        return (time.process_time() - cpu) / (time.monotonic() - wall)


def main() -> None:
    parser = argparse.ArgumentParser(description="What signals cost.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long sampling is watched")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = lookups()
    idle = sampling(asked.seconds / 4, SignalsSettings(enabled=False))
    found["sampling, share of a core"] = sampling(asked.seconds, SignalsSettings()) - idle
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        shown = (
            f"{value:.3%}" if "share" in name else f"{value:.0f}" if name == "signals" else f"{value:.2f} us"
        )
        print(f"{name:<42} {shown}")


if __name__ == "__main__":
    main()
