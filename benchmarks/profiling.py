"""How fast profiling is, and that its memory does not grow with the prompts.

    OMP_NUM_THREADS=1 nice -n 10 python -m benchmarks.profiling [--prompts 1000 10000 50000] [--write]

Three candidates that answer at once, over real HTTP, in a process of their own; `edgewise profile` in
another, whose time and greatest resident memory the operating system tells. `--write` renders
`docs/benchmarks/profiling.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.servers import mock_upstream

from benchmarks.machine import facts

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PAGE = Path(__file__).parents[1] / "docs/benchmarks/profiling.md"
WORDS = ("edge", "answers", "what", "it", "can", "and", "cloud", "the", "rest", "of", "them", "all", "day")
LENGTH = 400  # words of a prompt: about 2 kB
CANDIDATE = """
[[candidates]]
id = "{0}"
location = "cloud"
url = "{1}/{0}"
price = {{ input = 1.0, output = 2.0 }}
"""


class Measured(NamedTuple):
    """One run: wall and CPU seconds, the greatest resident memory in MB, and the load average meanwhile."""

    prompts: int
    calls: int
    wall_s: float
    cpu_s: float
    rss_mb: float
    load: float


def serve(pipe: Connection) -> None:
    """Answer at once until somebody says that it is over."""
    with mock_upstream() as mock:
        mock.calls = Forgetful()
        pipe.send(mock.port)
        pipe.recv()


class Forgetful(list):  # type: ignore[type-arg]  # of calls
    """Keeps nothing: what is measured is not the mock's memory, but its process should last."""

    def append(self, item: object) -> None:
        """Let it go."""
        del item


def prompts_file(path: Path, count: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            text = " ".join(WORDS[(number + place) % len(WORDS)] for place in range(LENGTH))
            file.write(json.dumps({"prompt": f"{number}: {text}", "group": "words"}) + "\n")


def measured(folder: Path, port: int, count: int) -> Measured:
    """Profile `count` prompts with three candidates, in a process of its own."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    prompts_file(folder / "prompts.jsonl", count)
    names = ("one", "two", "three")
    toml = "".join(CANDIDATE.format(name, f"http://127.0.0.1:{port}/v1") for name in names)
    (folder / "edgewise.toml").write_text(toml)
    words = ["profile", "prompts.jsonl", "-o", "out", "--no-plots", "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgewise.cli", *words],
        cwd=folder,
        env={**os.environ, "EDGEWISE_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    rows = sum(1 for _ in (folder / "out" / "outcomes.jsonl").open("rb"))
    assert rows == len(names) * count
    wall = time.perf_counter() - began
    return Measured(
        count, rows, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.getloadavg()[1]
    )


def page(found: list[Measured]) -> str:
    rows = "\n".join(
        f"| {each.prompts:,} | {each.calls:,} | {each.wall_s:.1f} | {each.cpu_s:.1f} | "
        f"{1e3 * each.cpu_s / each.calls:.2f} | {each.rss_mb:.0f} | {each.load:.0f} |"
        for each in found
    )
    first, last = found[0], found[-1]
    text = (last.prompts - first.prompts) * LENGTH * 5 / 1e6
    return f"""# What profiling takes

`edgewise profile` with three candidates that answer at once over real HTTP (a mock in another process,
streams of six events), on two cores of {facts()["cpu"]} that other work shares; prompts of about 2 kB.
`python -m benchmarks.profiling --write` makes this page.

| prompts | calls | wall s | CPU s | CPU ms a call | greatest resident memory, MB | load average |
|---|---|---|---|---|---|---|
{rows}

A load average far above the two cores says that the wall time is not ours: the CPU seconds are.

From {first.prompts:,} to {last.prompts:,} prompts, about {text:.0f} MB more of text, memory grows by
{last.rss_mb - first.rss_mb:.0f} MB: the order of the prompts, and the numbers that the summary's medians
are of. The texts stay on the disk.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, nargs="*", default=[1_000, 10_000, 50_000])
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    ours, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as place:
        for count in asked.prompts:
            found.append(measured(Path(place), port, count))
            print(found[-1])
    ours.send("over")
    if asked.write:
        PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
