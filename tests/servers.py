"""Servers for tests: an OpenAI-compatible mock on a thread, and a real gateway as a child process."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from tests import forked
from tests.forked import Child

GOLDEN = Path(__file__).parent / "golden"
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Call:
    """One request as the upstream saw it."""

    path: str
    headers: dict[str, str]
    body: bytes
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


@dataclass
class Mock:
    """An upstream whose answers a test chooses: `plain` and `events` are sent as they are."""

    plain: bytes = (GOLDEN / "plain.json").read_bytes()
    events: list[bytes] = field(default_factory=lambda: events_of("openai_stream.sse"))
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
        call = Call(scope["path"], headers, body)
        self.calls.append(call)
        watch = asyncio.create_task(self._watch(receive, call))
        try:
            await self._answer(call, send)
        finally:
            watch.cancel()

    async def _watch(self, receive: Any, call: Call) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        call.hung_up.set()

    async def _answer(self, call: Call, send: Send) -> None:
        stream = b'"stream":true' in call.body.replace(b" ", b"") and self.status == 200
        kind = b"text/event-stream" if stream else b"application/json"
        extra = [(k.encode(), v.encode()) for k, v in self.headers.items()]
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [(b"content-type", kind), *extra],
            }
        )
        if not stream:
            await asyncio.sleep(self.pause_s)
            await send({"type": "http.response.body", "body": self.plain})
            return
        for event in self.events:
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await asyncio.sleep(self.pause_s)
        await send({"type": "http.response.body", "body": b""})


def events_of(name: str) -> list[bytes]:
    """The events of a golden transcript, each with its blank line."""
    return [event + b"\n\n" for event in (GOLDEN / name).read_bytes().split(b"\n\n") if event]


@contextmanager
def mock_upstream(mock: Mock | None = None) -> Iterator[Mock]:
    """A mock that listens on a free port."""
    mock = mock or Mock()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # calls that come before the server is up wait for it
    mock.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(mock, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield mock
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


@dataclass
class Running:
    """A gateway in a process of its own."""

    url: str
    home: Path
    process: subprocess.Popen[str] | Child

    @property
    def log(self) -> Path:
        return self.home / "edgewise.sqlite"

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return self.send("POST", path, body, headers)

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and decoded JSON (or text) of one request; `body` is sent as it is when it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                is_text = response.headers.get_content_maintype() == "text"
                said = response.read()
                return response.status, said.decode() if is_text else json.loads(said)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@contextmanager
def gateway(
    home: Path,
    config: str,
    *options: str,
    env: dict[str, str] | None = None,
    patience_s: float = 60.0,
    started: bool = False,
) -> Iterator[Running]:
    """`edgewise serve` with this configuration, on a free port, ready to answer.

    Where it is not `started` as users start it, it is forked from a process that has loaded it.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / "edgewise.toml"
    path.write_text(config)
    port = free_port()
    words = ["serve", "--config", str(path), "--port", str(port), *options]
    environment = {**os.environ, "EDGEWISE_HOME": str(home), **(env or {})}
    process: subprocess.Popen[str] | Child
    with (home / "stderr").open("w") as errors, (home / "stdout").open("w") as output:
        if started or not forked.forks(environment):
            command = [sys.executable, "-m", "edgewise.cli", *words]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors, text=True)
        else:
            with Path(os.devnull).open() as nothing:
                fds = [nothing.fileno(), output.fileno(), errors.fileno()]
                process = forked.start(words, environment, fds)
    running = Running(f"http://127.0.0.1:{port}", home, process)
    try:
        wait_ready(running, patience_s)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_ready(running: Running, patience_s: float) -> None:
    """Wait for /readyz, or fail with what the process said."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            break
        try:
            if running.get("/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"the gateway did not get ready: {(running.home / 'stderr').read_text()}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
