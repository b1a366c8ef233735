"""How many texts a second `POST /v1/classify` labels, on one core.

    OMP_NUM_THREADS=1 python -m benchmarks.labels --texts TABLE.csv --bundle fp32=DIR/stages/fp32
        --bundle small=DIR [--runs 5] [--write]

For each bundle one gateway, pinned to one core, with its log on disk; one call of 1,000 texts at a time, each
text placed on its own and recorded with its decision and outcome. Then the same texts one call after the
other. `--write` renders `docs/benchmarks/labels.md`.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

from tests.servers import Running, gateway

from benchmarks.cpu import CORES, cpu_ns, pinned
from benchmarks.machine import facts

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[1] / "docs/benchmarks/labels.md"
TEXTS, ALONE = 1000, 200
CONFIG = """
[policies.classify]
kind = "edge-first"
explore = 0.0

[[candidates]]
id = "{name}"
location = "edge"
kind = "classifier"
bundle = "{bundle}"
"""

HEAD = """\
# Labels a second

`python -m benchmarks.labels`, {date}, {cpu}, {cores} cores, Python {python}, commit {commit}.

{texts} texts of `{source}` in one call to a gateway that is pinned to one core; each text is placed on its
own, and its decision and outcome are in the log before the answer goes out. Texts a second by the clock: the
mean of {runs} calls, and from the slowest to the fastest; beside it what the same calls took of the core
itself, which other work on the machine blurs less. Alone: {alone} calls of one text each.

| bundle | MB | texts/s | texts/CPU-s | CPU-ms a text | alone: ms | alone: CPU-ms | load average |
|---|---|---|---|---|---|---|---|
{rows}
"""


class Measured(NamedTuple):
    """One bundle: seconds on the clock and on the gateway's core, for each batch and for a text alone.

    `load` is the machine's load average at the end: what else ran there.
    """

    name: str
    megabytes: float
    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    alone_wall_s: float
    alone_cpu_s: float
    load: float


def measured(name: str, bundle: Path, texts: Sequence[str], runs: int) -> Measured:
    """Begin a gateway on one core, and ask it."""
    with tempfile.TemporaryDirectory() as folder:
        config = CONFIG.format(name=name, bundle=bundle.absolute())
        with pinned(CORES[-1]):
            opening = gateway(Path(folder), config, started=True)
            running = opening.__enter__()
        try:
            _ask(running, texts)  # opens the bundle
            batches = [_timed(running, texts, at_once=True) for _ in range(runs)]
            wall, cpu = _timed(running, texts[:ALONE], at_once=False)
        finally:
            opening.__exit__(None, None, None)
    size = sum(file.stat().st_size for file in bundle.iterdir() if file.is_file()) / 1e6
    return Measured(
        name,
        size,
        tuple(wall for wall, _ in batches),
        tuple(cpu for _, cpu in batches),
        wall / ALONE,
        cpu / ALONE,
        os.getloadavg()[0],
    )


def _timed(running: Running, texts: Sequence[str], *, at_once: bool) -> tuple[float, float]:
    """Seconds that passed, and that the gateway's process was on its core."""
    before, began = cpu_ns(running.process.pid), time.perf_counter()
    if at_once:
        _ask(running, texts)
    else:
        for text in texts:
            _ask(running, [text])
    return time.perf_counter() - began, (cpu_ns(running.process.pid) - before) / 1e9


def _ask(running: Running, texts: Sequence[str]) -> None:
    status, answer = running.post("/v1/classify", {"input": list(texts)})
    if status != 200 or answer["edgewise"]["failed"]:
        raise SystemExit(f"The gateway did not label the texts: {str(answer)[:300]}")


def page(found: Sequence[Measured], source: Path) -> str:
    """The results as a page."""
    told = facts()
    return HEAD.format(
        date=time.strftime("%d %B %Y").lstrip("0"),
        texts=f"{TEXTS:,}",
        source=f"{source.parent.name}/{source.name}",
        runs=len(found[0].wall_s),
        alone=ALONE,
        rows="\n".join(_row(one) for one in found),
        **told,
    )


def _row(one: Measured) -> str:
    fast, slow = TEXTS / min(one.wall_s), TEXTS / max(one.wall_s)
    return (
        f"| {one.name} | {one.megabytes:.1f} | {TEXTS / mean(one.wall_s):.0f} ({slow:.0f} to {fast:.0f}) "
        f"| {TEXTS / mean(one.cpu_s):.0f} | {mean(one.cpu_s) / TEXTS * 1e3:.2f} "
        f"| {one.alone_wall_s * 1e3:.1f} | {one.alone_cpu_s * 1e3:.1f} | {one.load:.1f} |"
    )


def main() -> None:
    """Measure each bundle that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--bundle", action="append", required=True, help="NAME=FOLDER")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with asked.texts.open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["text"].strip()][:TEXTS]
    named = (one.partition("=") for one in asked.bundle)
    found = [measured(name, Path(folder), texts, asked.runs) for name, _, folder in named]
    told = page(found, asked.texts)
    print(told)
    if asked.write:
        PAGE.write_text(told)


if __name__ == "__main__":
    main()
