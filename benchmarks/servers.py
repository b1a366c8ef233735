"""The servers of a run: the mock upstream, nginx before it, the gateway before it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cpu import CORES, cpu_ns, pinned
from benchmarks.machine import found

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

HERE = Path(__file__).parent
EDGEWISE = str(Path(sys.executable).with_name("edgewise"))
NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream mock {{
    server 127.0.0.1:{upstream};
    keepalive 256;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering {buffering};
    }}
  }}
}}
"""
EDGEWISE_TOML = """\
[policy]
kind = "complexity"
explore = 0.02
[store]
prompts = "full"
[[candidates]]
id = "edge"
location = "edge"
url = "http://127.0.0.1:{upstream}/v1"
model = "mock"
[[candidates]]
id = "cloud"
location = "cloud"
url = "http://127.0.0.1:{upstream}/v1"
model = "mock"
price = {{ input = 0.15, output = 0.60 }}
"""


class NotReadyError(Exception):
    """A server did not come up; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its name in the tables, its process, its port, and how long it took to be ready."""

    name: str
    pid: int
    port: int
    ready_s: float = 0.0

    @property
    def cpu_ns(self) -> int:
        """Nanoseconds on a CPU so far."""
        return cpu_ns(self.pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def compile_mock(folder: Path) -> Path:
    """Build the mock upstream into `folder`."""
    binary = folder / "mock_upstream"
    subprocess.run([found("cc"), "-O2", "-o", binary, HERE / "mock_upstream.c"], check=True)
    return binary


@contextmanager
def stopped_at_the_end(process: subprocess.Popen[bytes]) -> Generator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def mock(binary: Path, *, chunks: int = 100, pace_ms: float = 10.0) -> Generator[Server]:
    """The mock upstream, on the load's core."""
    with pinned(CORES[1]):
        process = subprocess.Popen([binary, str(chunks), str(pace_ms)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout, stopped_at_the_end(process):
        yield Server("mock", process.pid, int(process.stdout.readline()))


@contextmanager
def proxy(  # noqa: PLR0913 - one argument for each thing that differs between the two servers
    name: str,
    command: Sequence[str],
    port: int,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    ready: str = "/v1/models",
) -> Generator[Server]:
    """Any server on the servers' core, ready once `ready` answers 200."""
    printed = folder / f"{name}.out"
    started = time.perf_counter()
    with printed.open("wb") as out, pinned(CORES[0]):
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)
    with stopped_at_the_end(process):
        while not answers(port, ready):
            if process.poll() is not None or time.perf_counter() - started > 30:
                raise NotReadyError(f"{name} did not come up: {printed.read_text(errors='replace')[-2000:]}")
            time.sleep(0.005)
        yield Server(name, process.pid, port, time.perf_counter() - started)


def answers(port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def nginx(folder: Path, upstream: int, *, buffering: bool) -> Generator[Server]:
    """A reverse proxy as nginx does it: one worker, keepalive to the upstream, no access log.

    `buffering` off makes it hand on every chunk of a stream at once.
    """
    port = free_port()
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # or its worker may not enter the temporary folder
    config.write_text(
        NGINX.format(
            folder=folder, upstream=upstream, port=port, user=user, buffering="on" if buffering else "off"
        )
    )
    command = [found("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "nginx.log")]
    with proxy("nginx", command, port, folder) as server:
        yield server


@contextmanager
def gateway(folder: Path, upstream: int) -> Generator[Server]:
    """`edgewise serve` as a user starts it: two candidates, the complexity policy, the durable log on."""
    port = free_port()
    config = folder / "edgewise.toml"
    config.write_text(EDGEWISE_TOML.format(upstream=upstream))
    command = [EDGEWISE, "serve", "--config", str(config), "--port", str(port)]
    with proxy("gateway", command, port, folder, env=gateway_env(folder), ready="/readyz") as server:
        yield server


def gateway_env(folder: Path) -> dict[str, str]:
    """Our environment with a state folder of its own, and no key that would make a candidate."""
    kept = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
    return {**kept, "EDGEWISE_HOME": str(folder / "home")}
