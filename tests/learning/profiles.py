"""What tests of profiles begin with: prompts, candidates, and a profile in a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.protocols import Upstream
from edgewise.domain.requests import Request
from edgewise.learning.profile import OUTCOMES, Plan, profiler
from edgewise.learning.profile.tally import Tally
from edgewise.learning.prompts import Prompt
from edgewise.upstreams.scripted import Scripted

EDGE = Candidate("near", "edge", "device", price=Price(0.0, 0.0))
CLOUD = Candidate("far", "cloud", "cloud", price=Price(1.0, 2.0))


def prompts(count: int, **more: Any) -> list[Prompt]:
    return [Prompt(prompt=f"How much is {n} and {n}?", **more) for n in range(count)]


def answering(text: str = "an answer") -> Scripted:
    return Scripted([text])


def profiled(
    given: Sequence[Prompt], folder: Path, plan: Plan, upstreams: Mapping[str, Upstream]
) -> tuple[Tally, list[dict[str, Any]]]:
    """Run a profile to its end; how far it came, and the rows on disk."""

    async def run() -> Tally:
        with profiler(given, folder, plan, upstreams) as ready:
            await ready.run()
            return ready.tally

    return asyncio.run(run()), rows(folder)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / OUTCOMES).read_text().splitlines()]


def measured(upstream: Scripted) -> list[Request]:
    """The requests that an upstream got, warm-ups left out."""
    return [request for request in upstream.asked if not request.prompt.startswith("Warm-up")]
