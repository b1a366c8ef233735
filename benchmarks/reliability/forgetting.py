"""`python -m benchmarks.reliability.forgetting`: how long an answer waits for the log while that forgets.

A log is filled, half of it too old. Then records are committed at a steady rate: while nothing is to be
forgotten, while the log itself forgets and shrinks, and while `edgewise log vacuum` does in another process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benchmarks.log import decision, outcome
from benchmarks.reliability.asking import percentile
from edgewise.outcomes import LogReader, SqliteLog
from edgewise.outcomes.retention import DAY_S
from edgewise.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.decisions import Record

FOR_EVER = StoreSettings(max_age_days=0, max_size_mb=0)
A_DAY = StoreSettings(max_age_days=1, max_size_mb=0)
BATCH = 500


async def fill(path: Path, count: int, answer: str) -> None:
    """Decisions with their outcomes, every other one two days old, in the order of time."""
    async with SqliteLog(path, retention=FOR_EVER) as log:
        for begin in range(0, count, BATCH):
            days = 2 if begin < count / 2 else 0
            records: list[Record] = []
            for _ in range(BATCH):
                one = replace(decision(), at=time.time() - days * DAY_S)
                records += [one, replace(outcome(one), at=one.at, response=answer)]
            await log.append(*records)


def held(path: Path) -> int:
    """How many decisions the log has."""
    with closing(LogReader(path)) as reader:
        return reader.count()


async def meanwhile(
    path: Path, rules: StoreSettings, seconds: float, vacuum: list[str] | None
) -> tuple[list[float], float | None]:
    """Seconds that each commit took, and after how many the old half was gone."""
    took: list[float] = []
    gone_after: float | None = None
    async with SqliteLog(path, retention=rules) as log:
        half = held(path) / 2
        began, looked = time.monotonic(), 0.0
        process = subprocess.Popen(vacuum, stdout=subprocess.DEVNULL) if vacuum else None  # noqa: ASYNC220 - a study's
        while (now := time.monotonic()) < began + seconds:
            one = decision()
            at = time.perf_counter()
            await log.append(one, outcome(one))
            took.append(time.perf_counter() - at)
            if gone_after is None and now > looked + 0.5:
                looked = now
                if await asyncio.to_thread(held, path) <= half + len(took):
                    gone_after = now - began
            await asyncio.sleep(0.02)
        if process is not None:
            process.wait()
    return took, gone_after


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.reliability.forgetting", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each (default: 15)")
    parser.add_argument("--megabytes", type=float, default=60.0, help="of each log (default: 60)")
    options = parser.parse_args(argv)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {options.megabytes:g} MB, {options.seconds:g} s each\n")
    print("| answers of | meanwhile | commits | p50 | p99 | slowest | half was gone after |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, length in (("350 characters", 350), ("20,000 characters", 20_000)):
        for what in ("nothing", "the log forgets", "`log vacuum`"):
            with tempfile.TemporaryDirectory(prefix="edgewise-forgetting-") as folder:
                path = Path(folder) / "log.sqlite"
                count = int(options.megabytes * 1e6 / (length + 1500)) // BATCH * BATCH
                asyncio.run(fill(path, count, "x" * length))
                config = Path(folder) / "edgewise.toml"
                config.write_text(f'[store]\npath = "{path}"\nmax_age_days = 1\nmax_size_mb = 0\n')
                vacuum = [sys.executable, "-m", "edgewise.cli", "log", "vacuum", "--config", str(config)]
                os.environ["EDGEWISE_HOME"] = folder
                rules = A_DAY if what == "the log forgets" else FOR_EVER
                took, gone = asyncio.run(
                    meanwhile(path, rules, options.seconds, vacuum if what == "`log vacuum`" else None)
                )
            times = " | ".join(f"{1e3 * percentile(took, share):.1f} ms" for share in (0.5, 0.99, 1.0))
            after = "never" if gone is None else f"{gone:.1f} s"
            print(f"| {name} | {what} | {len(took)} | {times} | {after} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
