"""CPU of the gateway as a multiple of nginx's, in interleaved rounds of the same run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from benchmarks.findings import Finding, Spread
from benchmarks.load import Round, plain, streams
from benchmarks.servers import Server, compile_mock, gateway, mock, nginx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACE_MS = 10.0
STREAMS = 50


def plain_answers(folder: Path, rounds: int, seconds: int) -> Finding:
    """Plain answers of about 1 KB over 16 connections."""
    with ExitStack() as stack:
        upstream = stack.enter_context(mock(compile_mock(folder)))
        servers = [
            stack.enter_context(nginx(folder, upstream.port, buffering=True)),
            stack.enter_context(gateway(folder, upstream.port)),
        ]
        for server in servers:
            plain(server, 1)  # connections are opened and caches filled before anything counts
        taken = interleaved(servers, lambda server: plain(server, seconds), rounds)
    return compared("plain", "request", taken, target=5.0, ambition=3.3)


def streamed_answers(folder: Path, rounds: int, seconds: int) -> Finding:
    """50 streams at once, a chunk every 10 ms in each."""
    chunks = int(seconds * 1000 / PACE_MS)
    with ExitStack() as stack:
        upstream = stack.enter_context(mock(compile_mock(folder), chunks=chunks, pace_ms=PACE_MS))
        servers = [
            stack.enter_context(nginx(folder, upstream.port, buffering=False)),
            stack.enter_context(gateway(folder, upstream.port)),
        ]
        for server in servers:
            streams(server, 2)
        taken = interleaved(servers, lambda server: streams(server, STREAMS), rounds)
    return compared("stream", "chunk", taken, target=2.0)


def interleaved(
    servers: list[Server], load: Callable[[Server], Round], rounds: int
) -> dict[str, list[Round]]:
    """One round for each server in turn, so that what drifts on this machine drifts for all."""
    taken: dict[str, list[Round]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            taken[server.name].append(load(server))
    return taken


def compared(
    name: str, what: str, taken: dict[str, list[Round]], *, target: float, ambition: float | None = None
) -> Finding:
    """The ratio of the medians, with both in microseconds beside it."""
    cpu = {server: Spread.of([r.cpu_us_each for r in rounds]) for server, rounds in taken.items()}
    failed = {server: sum(r.failed for r in rounds) for server, rounds in taken.items()}
    why = "; ".join(f"{n} answers of {server} failed" for server, n in failed.items() if n)
    empty = [server for server, rounds in taken.items() if not all(r.served for r in rounds)]
    why = why or "; ".join(f"{server} served nothing in a round" for server in empty)
    note = ", ".join(f"{server} {spread} us" for server, spread in cpu.items())
    return Finding(
        name=f"{name}: CPU a {what}, times nginx",
        value=cpu["gateway"].median / cpu["nginx"].median,
        unit="x",
        target=target,
        ambition=ambition,
        note=note,
        why_invalid=why,
        details={server: [asdict(r) for r in rounds] for server, rounds in taken.items()},
    )
