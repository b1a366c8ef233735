"""What needs no comparison: the log's cost, start-up times, memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.cpu import rss_mb
from benchmarks.findings import Finding, Spread
from benchmarks.load import plain
from benchmarks.servers import EDGEWISE, HERE, compile_mock, gateway, gateway_env, mock

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS_BEFORE_RSS = 10_000
IMPORT_TIMED = "import time; t = time.perf_counter(); import edgewise; print((time.perf_counter() - t) * 1e3)"


def log_cost(folder: Path, rounds: int, seconds: int) -> Finding:
    """CPU of the durable log a record, by benchmarks.log in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.log", "--json", "--folder", str(folder)]
    told = json.loads(printed([*command, "--rounds", str(rounds), "--seconds", str(seconds / 2)], folder))
    by_clients = told["plain"]
    note = ", ".join(f"{cost:.1f} us with {clients}" for clients, cost in by_clients.items())
    return Finding(
        "log: CPU a record, 16 clients", by_clients["16"], "us", 10.0, note=f"{note} clients", details=told
    )


def healthy_path(folder: Path, rounds: int, seconds: int) -> Finding:
    """CPU of the plan for failures on a request that meets none, in a process of its own."""
    del seconds
    command = [sys.executable, "-m", "benchmarks.reliability.overhead", "--json"]
    told = json.loads(printed([*command, "--rounds", str(2 * rounds + 1)], folder))
    bare, whole = told["bare_us"], told["whole_us"]
    note = f"{whole:.1f} us with the plan, {bare:.1f} us without"
    return Finding("plan for failures: CPU a request", whole - bare, "us", 15.0, note=note, details=told)


def import_time(folder: Path, rounds: int, seconds: int) -> Finding:
    """`import edgewise` in fresh processes, and the modules that cost most."""
    del seconds
    times = [float(printed([sys.executable, "-c", IMPORT_TIMED], folder)) for _ in range(2 * rounds + 1)]
    command = [sys.executable, "-X", "importtime", "-c", "import edgewise"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=gateway_env(folder))
    return timed("import edgewise", "ms", times, target=100.0, note=slowest_imports(told.stderr))


def slowest_imports(told: str, most: int = 3) -> str:
    """The modules with the largest time of their own, from what -X importtime prints."""
    lines = re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", told, re.MULTILINE)
    slowest = sorted(((int(own), name) for own, name in lines), reverse=True)[:most]
    return ", ".join(f"{name} {own / 1e3:.1f} ms" for own, name in slowest)


def cli_start(folder: Path, rounds: int, seconds: int) -> Finding:
    """`edgewise --help`, from start to exit."""
    del seconds
    times: list[float] = []
    for _ in range(2 * rounds + 1):
        started = time.perf_counter()
        printed([EDGEWISE, "--help"], folder)
        times.append((time.perf_counter() - started) * 1e3)
    return timed("edgewise --help", "ms", times, target=300.0)


def ready_time(folder: Path, rounds: int, seconds: int) -> Finding:
    """From the start of `edgewise serve` to a 200 of /readyz, with HTTP candidates."""
    del seconds
    times: list[float] = []
    with mock(compile_mock(folder)) as upstream:
        for _ in range(rounds):
            with gateway(folder, upstream.port) as server:
                times.append(server.ready_s)
    return timed("start to /readyz", "s", times, target=1.0)


def memory(folder: Path, rounds: int, seconds: int) -> Finding:
    """Resident memory of the gateway, which holds no model, after 10,000 requests."""
    del rounds
    served = failed = 0
    with mock(compile_mock(folder)) as upstream, gateway(folder, upstream.port) as server:
        before = rss_mb(server.pid)
        while served < REQUESTS_BEFORE_RSS and not failed:
            done = plain(server, seconds)
            served, failed = served + done.served, failed + done.failed
        after = rss_mb(server.pid)
    return Finding(
        "memory without a model",
        after,
        "MB",
        80.0,
        note=f"{before:.1f} MB at the start, after {served} requests",
        why_invalid=f"{failed} answers of the gateway failed" if failed else "",
    )


def timed(name: str, unit: str, values: list[float], *, target: float, note: str = "") -> Finding:
    """The median of several, the spread beside it."""
    spread = Spread.of(values)
    said = f"{spread.low:.2f} to {spread.high:.2f} {unit}"
    return Finding(
        name,
        spread.median,
        unit,
        target,
        note=f"{said}; {note}" if note else said,
        details={"values": values},
    )


def printed(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=HERE.parent, env=gateway_env(folder)
    )
    return done.stdout
