"""What importing a large file costs: resident memory and time, by the size of the file.

python -m benchmarks.prompts 16 64 256 1000 [--write]     sizes in MB
"""

from __future__ import annotations

import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import facts

PAGE = Path(__file__).parent.parent / "docs/benchmarks/prompts.md"
WORDS = 40_000
MB = 1_000_000
INSIDE = """
import sys
sys.argv = ["edgewise", "prompts", "import", *sys.argv[1:]]
from edgewise import cli
# ru_maxrss would begin with what the parent held
status = lambda: dict(line.split(":", 1) for line in open("/proc/self/status"))
cli._leave = lambda code: print(code, status()["VmHWM"].split()[0], file=sys.stderr)
cli.main()
"""


def write_table(path: Path, size_mb: float) -> int:
    """A CSV of about that size, of prompts of 20 to 120 made-up words, a tenth of them repeated; its rows."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(WORDS)]
    seen: list[str] = []
    rows = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "group"])
        while file.tell() < size_mb * MB:
            for _ in range(1000):
                if seen and draw.random() < 0.1:
                    prompt = draw.choice(seen)
                else:
                    prompt = " ".join(draw.choices(words, k=draw.randint(20, 120)))
                    if len(seen) < 1000:
                        seen.append(prompt)
                writer.writerow([prompt, draw.choice("abc")])
                rows += 1
    return rows


def imported(path: Path, folder: Path) -> tuple[float, float, str]:
    """Peak resident MB and CPU seconds of importing a file, and the line that the command ended with."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", INSIDE, str(path), "-o", str(folder / "prompts.jsonl")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = int(ran.stderr.split()[-1]) / 1000
    return peak, cpu, ran.stdout.strip().rpartition("/")[2]


def main() -> None:
    sizes = [float(word) for word in sys.argv[1:] if word[0] != "-"] or [16.0, 64.0]
    lines = ["| file | rows | peak resident MB | CPU s | |", "|---:|---:|---:|---:|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            path = folder / "prompts.csv"
            rows = write_table(path, size)
            peak, cpu, said = imported(path, folder)
            lines.append(
                f"| {path.stat().st_size / MB:,.0f} MB | {rows:,} | {peak:.0f} | {cpu:.0f} | `{said}` |"
            )
            print(lines[-1], flush=True)
    if "--write" in sys.argv:
        PAGE.write_text(
            TEXT.format(day=time.strftime("%Y-%m-%d"), machine=facts()["cpu"], table="\n".join(lines))
        )


TEXT = """# Importing prompts

`python -m benchmarks.prompts 16 64 256 1000 --write`, {day}, {machine}. Each file is a CSV of prompts of 20
to 120 made-up words, of which a tenth are repeated; `edgewise prompts import` reads it, finds duplicates and
near-duplicates, splits, and writes the prompts file. Memory is the largest resident set of the whole
process, of which Python and numpy are some 50 MB.

{table}

Up to 500,000 prompts memory grows by the numbers that are kept of each. From there on it does not: of more
prompts a sample is looked at. Most of the time goes into sketches of prompts, for near-duplicates.
"""

if __name__ == "__main__":
    main()
