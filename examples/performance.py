"""Quick answers: simple tasks are pinned to the edge, the others have a deadline, and all run at once."""

import asyncio
from pathlib import Path

from edgewise import Router

SIMPLE = ("What is 15 + 27?", "What's the capital of Japan?")
COMPLEX = (
    "Explain the theory of relativity and its implications for modern physics.",
    "Recommend a strategy for implementing a microservice architecture in a legacy application.",
)


async def main() -> None:
    async with Router(Path(__file__).with_suffix(".toml")) as router:
        asked = [router.ask(task, model="phi") for task in SIMPLE]
        asked += [router.ask(task, deadline_s=20.0) for task in COMPLEX]
        for reply in await asyncio.gather(*asked):
            took = reply.outcome.latency_s if reply.outcome else 0.0
            print(f"{reply.decision.chosen} in {took:.2f} s: {reply.text[:60]}")


asyncio.run(main())
