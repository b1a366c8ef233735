"""How fast pages are over a large log: `python -m benchmarks.dashboard 1000000`, in milliseconds.

A log gets so many requests of seven days, with prompts and answers; a gateway starts on it and reads them.
Then every page is asked for five times, over one connection: the first answer is the first byte after the
first question, the others are the median of the rest. `feed` is the event with the newest decisions after the
connection of a page that looks, and `a search` looks for what nobody said.
"""

from __future__ import annotations

import os
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter, sleep, time
from typing import Any

import psutil
from tests.servers import gateway

from edgewise.dashboard.pages import pages
from edgewise.domain.decisions import Attempt, Decision, Outcome, Record
from edgewise.domain.ids import mint
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

TIMES = 5
BATCH = 10_000  # requests in one commit
WEEK_S = 604_800.0
PATIENCE_S = 600.0
QUIET = 15.0  # per cent of a core: it has read what it reads at the start
CONFIG = "".join(
    f'[[candidates]]\nid = "candidate-{number}"\nlocation = "{("edge", "cloud")[number % 2]}"\n'
    "script = {}\nprice = { input = 0.15, output = 0.6 }\n"
    for number in range(6)
)
PROMPT = "Could you please tell me, number {}, what the weather does to the price of tea in the north? " * 3
ANSWER = "That depends on where you are and when you ask, as such things often do. " * 8


def filled(path: Path, requests: int) -> None:
    """Write a log of a week."""
    log, now = connect(path), time()
    for first in range(0, requests, BATCH):
        records: list[Record] = []
        for number in range(first, min(requests, first + BATCH)):
            records += told(number, now - WEEK_S * (1.0 - number / requests) - 1.0)
        write(log, [(None, tuple(records))])
    log.close()


def told(number: int, at: float) -> tuple[Decision, Outcome]:
    """One request that ended at `at`: over six candidates, one in fifty of them failed."""
    name, place = f"candidate-{number % 6}", ("edge", "cloud")[number % 2]
    took = 0.2 + number % 97 / 50
    status: Any = "error" if number % 50 == 0 else "ok"
    spent: dict[str, Any] = {"input_tokens": 80 + number % 400, "output_tokens": 40, "cost_usd": 0.0003}
    shared: dict[str, Any] = {**spent, "cost_state": "billed", "candidate": name, "status": status}
    odds = {f"candidate-{other}": 0.95 if other == number % 6 else 0.01 for other in range(6)}
    decision = Decision(
        id=mint(),
        at=at - took,
        chosen=name,
        location=place,  # type: ignore[arg-type]
        policy="explore(complexity, 0.02)",
        reason="optimal_edge" if number % 2 == 0 else "high_complexity",
        propensity=0.95,
        odds=odds,
        shortlist=tuple(odds),
        evidence={"length": 0.4, "syntax": 0.6, "emotion": 0.0, "score": 0.375, "threshold": 0.75},
        prompt=PROMPT.replace("{}", str(number)),
        micros=40.0 + number % 17,
    )
    attempt = Attempt(started_s=0.001, latency_s=took, ttft_s=0.1, **shared)
    outcome = Outcome(
        decision_id=decision.id,
        at=at,
        latency_s=took + 0.0015,
        ttft_s=0.101,
        response=ANSWER,
        attempts=(attempt,),
        **shared,
    )
    return decision, outcome


def timed(connection: HTTPConnection, path: str) -> tuple[float, int]:
    """Milliseconds to the first byte of an answer, and how many bytes it has."""
    began = perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    first = answer.read(1)
    took = (perf_counter() - began) * 1000
    size = len(first) + len(answer.read())
    assert answer.status == 200, path
    return took, size


def fed(port: int) -> float:
    """Milliseconds from connecting to the newest decisions."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    began = perf_counter()
    connection.request("GET", "/live?at=/decisions")
    answer = connection.getresponse()
    while not answer.readline().startswith(b"data:"):
        pass
    took = (perf_counter() - began) * 1000
    connection.close()
    return took


def measured(requests: int) -> dict[str, tuple[float, float, int]]:
    """By page: first answer, the median of others (ms), bytes."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        filled(home / "edgewise.sqlite", requests)
        os.environ["EDGEWISE_SIGNALS"] = "off"
        with gateway(home, CONFIG, started=True, patience_s=PATIENCE_S) as running:
            process = psutil.Process(running.process.pid)
            while counted(running.url) < requests * 0.99:
                sleep(1.0)
            while process.cpu_percent(1.0) > QUIET:
                pass
            before = process.memory_info().rss
            port = int(running.url.rsplit(":", 1)[1])
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            _, listed = running.get("/v1/decisions?limit=1")
            story = f"/decisions/{listed['data'][0]['id']}"
            paths = [*(page.path for page in pages()), story, "/decisions?q=nobody+said+this"]
            found: dict[str, Any] = {}
            for path in paths:
                tries = [timed(connection, path) for _ in range(TIMES)]
                called = "one decision" if path == story else "a search" if "?" in path else path
                found[called] = (tries[0][0], median(took for took, _ in tries[1:]), tries[0][1])
            feeds = [fed(port) for _ in range(TIMES)]
            found["feed"] = (feeds[0], median(feeds[1:]), 0)
            after = process.memory_info().rss
            print(f"memory of the gateway: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")
            return found


def counted(url: str) -> int:
    """How many requests the monitor knows of."""
    connection = HTTPConnection("127.0.0.1", int(url.rsplit(":", 1)[1]), timeout=PATIENCE_S)
    connection.request("GET", "/now?window=7d")
    page = connection.getresponse().read().decode()
    connection.close()
    said = page.split("<dt>Requests</dt>", 1)[-1].split('class="value">', 1)[-1].split("<", 1)[0]
    return int(said.replace(",", "")) if said.replace(",", "").isdigit() else 0


if __name__ == "__main__":
    for what, (first_ms, others_ms, size) in measured(int(sys.argv[1])).items():
        print(f"{what:<16} first {first_ms:7.1f} ms   then {others_ms:7.1f} ms   {size / 1000:8.1f} kB")
