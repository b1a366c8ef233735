"""How much the embedded model really knows: the shipped prompts, asked and graded.

    OMP_NUM_THREADS=1 nice -n 15 python -m benchmarks.competence [--only NAME ...] [--first N] [--write]

Every answer is kept in `docs/benchmarks/competence.jsonl` as it comes; the same command again asks only
what is still missing. `--write` asks nobody, grades what is there and writes `docs/benchmarks/competence.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.competence_page import MOST_TOKENS, SYSTEM, page
from edgewise.gateway.chat_body import chat_of
from edgewise.learning.graders.voting import ballot, examples_for
from edgewise.upstreams.embedded import EmbeddedRuntime
from edgewise.upstreams.helped import Helped
from edgewise.upstreams.openai import OpenAICompatible
from edgewise.upstreams.reading import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.protocols import Upstream

MODEL = "smollm2-135m"
SHIPPED = Path(__file__).parents[1] / "src/edgewise/learning/graders/shipped"
PAGE = Path(__file__).parents[1] / "docs/benchmarks/competence.md"
KEPT = Path(__file__).parents[1] / "docs/benchmarks/competence.jsonl"


class Way(NamedTuple):
    """A way to ask the same model: at which temperature, with worked examples or not, and how many votes."""

    about: str
    temperature: float
    examples: bool = False
    votes: int = 0


WAYS = {
    "cold": Way("once, temperature 0", 0.0),
    "warm": Way("once, temperature 0.2", 0.2),
    "shown": Way("once, with worked examples, temperature 0", 0.0, examples=True, votes=1),
    "helped": Way("worked examples, and up to 3 votes from temperature 0 on", 0.0, examples=True, votes=3),
}


async def ask(name: str, upstream: Upstream, row: dict[str, Any]) -> dict[str, Any]:
    """One answer, and how long it took."""
    way = WAYS[name]
    if way.votes:
        upstream = Helped(upstream, ballot, examples_for if way.examples else None, way.votes)
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["prompt"]}]
    options = {
        "messages": messages,
        "max_tokens": MOST_TOKENS,
        "temperature": way.temperature,
        "seed": 7,
    }
    began = time.perf_counter()
    body = await upstream.ask(chat_of("", options))
    assert isinstance(body, bytes)
    read = read_plain(body)
    tokens = read.usage.completion_tokens if read.usage else None
    return {
        "way": name,
        "name": row["name"],
        "response": read.text,
        "seconds": round(time.perf_counter() - began, 3),
        "tokens": tokens,
    }


async def collect(names: Iterable[str], rows: list[dict[str, Any]]) -> None:
    """Ask what no earlier run has asked, two at a time."""
    done = {(one["way"], one["name"]) for one in kept()}
    runtime = EmbeddedRuntime.of(MODEL)
    upstream = OpenAICompatible(MODEL, MODEL, runtime.url)
    gate = asyncio.Semaphore(2)
    try:
        with KEPT.open("a", encoding="utf-8") as file:

            async def one(name: str, row: dict[str, Any]) -> None:
                async with gate:
                    file.write(json.dumps(await ask(name, upstream, row), ensure_ascii=False) + "\n")
                    file.flush()

            for name in names:
                await asyncio.gather(*(one(name, row) for row in rows if (name, row["name"]) not in done))
    finally:
        await upstream.aclose()
        await runtime.aclose()


def kept() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()] if KEPT.exists() else []


def shipped() -> list[dict[str, Any]]:
    rows = [
        json.loads(line) for path in sorted(SHIPPED.glob("*.jsonl")) for line in path.open(encoding="utf-8")
    ]
    return sorted(rows, key=lambda row: int(row["name"][-2:]) * 7 % 50)  # whatever is done is a fair sample


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument(
        "--first", type=int, default=None, help="so many prompts, of every task and level alike"
    )
    parser.add_argument(
        "--write", action="store_true", help="ask nobody; grade what is there and write the page"
    )
    asked = parser.parse_args()
    if asked.write:
        ways = {name: way.about for name, way in WAYS.items()}
        when = f"{datetime.now(UTC):%-d %B %Y}"
        PAGE.write_text(page(kept(), ways, when), "utf-8")
    else:
        asyncio.run(collect(asked.only, shipped()[: asked.first]))
