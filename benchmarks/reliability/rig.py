"""The gateway of a study: in a process of its own, with its descriptors, tasks and memory in sight."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import Running, free_port, wait_ready

from benchmarks.cpu import cpu_ns, rss_mb

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from benchmarks.reliability.upstream import Upstream

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
POLICY = '[policy]\nkind = "fixed"\ncandidate = "edge"\nexplore = 0.0\n[constraints]\nresources = "off"\n'


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running `edgewise serve`."""

    url: str
    home: Path
    pid: int

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB."""
        return rss_mb(self.pid)

    @property
    def cpu_s(self) -> float:
        """Seconds on a CPU so far."""
        return cpu_ns(self.pid) / 1e9

    @property
    def descriptors(self) -> int:
        """Open file descriptors."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    async def tasks(self) -> int:
        """Its asyncio tasks that are not done."""
        told = self.home / "tasks"
        before = _lines(told)
        os.kill(self.pid, signal.SIGUSR1)
        for _ in range(500):
            if len(lines := _lines(told)) > len(before):
                return int(lines[-1])
            await asyncio.sleep(0.01)
        raise AssertionError("the gateway does not tell its tasks")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def candidates(edge: Upstream, cloud: Upstream | None = None, more: str = "") -> str:
    """Both tiers, or the edge alone, as `[[candidates]]`; `more` are further lines of the edge's."""
    text = (
        f'[[candidates]]\nid = "edge"\nlocation = "edge"\nurl = "http://127.0.0.1:{edge.port}/v1"\n{more}\n'
    )
    if cloud is not None:
        text += (
            f'[[candidates]]\nid = "cloud"\nlocation = "cloud"\nurl = "http://127.0.0.1:{cloud.port}/v1"\n'
        )
        text += "price = { input = 1.0, output = 2.0 }\n"
    return text


@contextmanager
def serving(home: Path, config: str, env: Mapping[str, str] | None = None) -> Generator[Gateway]:
    """A gateway with this configuration, ready to answer; what it printed is in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "edgewise.toml"
    path.write_text(config)
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.reliability.counted", str(home / "tasks")]
    command += ["--config", str(path), "--port", str(port)]
    environment = {**os.environ, "EDGEWISE_HOME": str(home), **(env or {})}
    with (home / "stderr").open("w") as errors, (home / "stdout").open("w") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=errors, text=True, cwd=ROOT
        )
    running = Running(f"http://127.0.0.1:{port}", home, process)
    try:
        wait_ready(running, 60.0)
        yield Gateway(running.url, home, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
