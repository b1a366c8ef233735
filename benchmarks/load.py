"""What drives the servers: wrk for plain answers, paced streams for the others."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.cpu import CORES, pinned
from benchmarks.machine import found
from benchmarks.servers import HERE, Server

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Round:
    """One round of load on one server: `served` requests or chunks for `cpu_ns` of the server's CPU.

    `failed` counts answers that were not 2xx, broken connections, and streams that were cut short or held
    back (a proxy that collects a stream and sends it at the end costs little, and is no proxy for streams).
    """

    served: int
    failed: int
    seconds: float
    cpu_ns: int

    @property
    def cpu_us_each(self) -> float:
        """Microseconds of the server's CPU a request or chunk."""
        return self.cpu_ns / 1e3 / max(self.served, 1)


def plain(server: Server, seconds: int) -> Round:
    """Drive it with wrk over 16 connections for so many seconds (wrk takes whole ones)."""
    url = f"http://127.0.0.1:{server.port}"
    command = [found("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "chat.lua"), url]
    before = server.cpu_ns
    printed = on_the_load_core(command)
    spent = server.cpu_ns - before
    counts = wrk_counts(printed)
    failed = int(counts["failed"] + counts["broken"])
    return Round(int(counts["requests"]), failed, counts["seconds"], spent)


def wrk_counts(printed: str) -> dict[str, float]:
    """The line that chat.lua writes, as a dictionary."""
    for line in printed.splitlines():
        if line.startswith("COUNTS "):
            counts: dict[str, float] = json.loads(line.removeprefix("COUNTS "))
            return counts
    raise ValueError(f"wrk printed no counts: {printed[-500:]}")


def streams(server: Server, count: int) -> Round:
    """`count` streams at once, each read to its end."""
    command = [sys.executable, "-m", "benchmarks.stream_client", str(server.port), str(count)]
    before = server.cpu_ns
    printed = on_the_load_core(command)
    spent = server.cpu_ns - before
    counts = json.loads(printed)
    return Round(counts["chunks"], counts["failed"], counts["seconds"], spent)


def on_the_load_core(command: list[str]) -> str:
    with pinned(CORES[1]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout
