"""`python -m benchmarks.reliability.overhead`: what the plan for failures costs a request that meets none.

CPU of the executor as it serves (plan, deadlines, breaker, budget), less that of asking, reading and
recording alone, in interleaved rounds of one process. Endpoint and log answer at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from statistics import median
from time import perf_counter, process_time_ns
from typing import TYPE_CHECKING

from edgewise.domain.candidates import Candidate
from edgewise.domain.decisions import Decision
from edgewise.execution import Answer, Executor
from edgewise.execution.flight import Call, Flight
from edgewise.gateway.chat_body import chat_of
from edgewise.outcomes.memory_log import MemoryLog
from edgewise.upstreams.reading import read_plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from edgewise.domain.requests import Request

REQUESTS = 4000
BODY = (
    b'{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Paris."},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23}}'
)
CANDIDATES = {
    "edge": Candidate(id="edge", location="edge", trust="device"),
    "cloud": Candidate(id="cloud", location="cloud", trust="cloud"),
}


class Ready:
    """An upstream that has its answer already."""

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The same answer each time."""
        del request
        return BODY

    async def aclose(self) -> None:
        """Nothing is open."""


class Bare:
    """Asks the chosen candidate and records it, and does nothing for the case that it fails."""

    def __init__(self, log: MemoryLog) -> None:
        self._log, self._upstreams = log, {name: Ready() for name in CANDIDATES}

    async def carry_out(
        self, decision: Decision, candidate: Candidate, request: Request, *, arrived: float
    ) -> Answer:
        """Answer the request."""
        flight = Flight(decision, request, arrived, 0.0)
        call = Call(flight, candidate, 0)
        body = await self._upstreams[candidate.id].ask(request)
        assert isinstance(body, bytes)
        reading = read_plain(body)
        call.first_content()
        attempt = call.succeeded(reading.usage, 1)
        await self._log.append(decision, flight.landed(candidate, attempt, response=reading.text))
        return Answer(decision, body=body)


async def spent_us(how: Bare | Executor, log: MemoryLog) -> float:
    """CPU microseconds a request."""
    request, candidate = chat_of("What is the capital of France?"), CANDIDATES["edge"]
    decision = Decision(
        id=request.id,
        at=0.0,
        chosen="edge",
        location="edge",
        policy="fixed",
        reason="best_utility",
        propensity=1.0,
        odds={"edge": 1.0, "cloud": 0.0},
        shortlist=("edge", "cloud"),
    )
    before = process_time_ns()
    for _ in range(REQUESTS):
        await how.carry_out(decision, candidate, request, arrived=perf_counter())
    spent = process_time_ns() - before
    log.records.clear()
    return spent / 1e3 / REQUESTS


async def measured(rounds: int) -> tuple[list[float], list[float]]:
    """Microseconds a request in each round: of the bare way, and of the whole."""
    log = MemoryLog()
    whole = Executor({name: Ready() for name in CANDIDATES}, log, candidates=CANDIDATES)
    bare = Bare(log)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for how, found in zip((bare, whole), taken, strict=True):
            found.append(await spent_us(how, log))
    return taken[0][1:], taken[1][1:]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.overhead", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    bare, whole = map(median, asyncio.run(measured(options.rounds)))
    if options.json:
        print(json.dumps({"bare_us": bare, "whole_us": whole}))
    else:
        print(f"{whole - bare:.1f} us a request: {whole:.1f} with the plan, {bare:.1f} without")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
