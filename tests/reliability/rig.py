"""A gateway between a client and two endpoints: one that is well, and one behind a bad network."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.servers import GOLDEN, events_of

from edgewise.app import App
from edgewise.domain.decisions import Decision, Outcome, Record
from edgewise.gateway import Gateway, Pages
from edgewise.settings import load
from edgewise.upstreams.chaos import NONE, Chaos

CHAT = "/v1/chat/completions"
PLAIN = (GOLDEN / "plain.json").read_bytes()
EVENTS = events_of("openai_stream.sse")
LIMITS = """
first_token_s = 0.5
idle_s = 0.5
try_s = 1.0
total_s = 4.0
retries = 0
"""
UNHURRIED = """
connect_s = 20
first_token_s = 20
idle_s = 20
try_s = 20
total_s = 60
retries = 0
"""
Step = bytes | float  # what an endpoint sends, or how long it waits before the next
Answer = Callable[[bool], Sequence[Step] | AsyncIterator[bytes]]


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    """A whole HTTP answer."""
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode()
        + body
    )


def stream(events: Sequence[bytes], *, kind: str = "text/event-stream", end: bool = True) -> list[bytes]:
    """A chunked HTTP answer; without its end the connection is closed behind it."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    return [head, *chunks, *([b"0\r\n\r\n"] if end else [])]


def well(streamed: bool) -> Sequence[Step]:
    """What a good endpoint answers."""
    return stream(EVENTS) if streamed else [http(PLAIN)]


class Endpoint:
    """A server that answers every call with what `answer` says, and counts."""

    def __init__(self) -> None:
        self.answer: Answer = well
        self.tls: ssl.SSLContext | None = None
        self.calls = 0
        self.open = 0
        self.keep = True
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            self.calls += 1
            steps = self.answer(b'"stream":true' in body.replace(b" ", b""))
            if isinstance(steps, Sequence):
                steps = _each(steps)
            async for step in steps:
                writer.write(step)
                await writer.drain()
            if not self.keep:
                return


async def _each(steps: Sequence[Step]) -> AsyncIterator[bytes]:
    for step in steps:
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step


@dataclass
class Told:
    """What a client saw of one request."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_s: float

    @property
    def error(self) -> dict[str, Any] | None:
        """The error in OpenAI's shape, in the body or as the last event before the end."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            events = [e for e in self.body.split(b"\n\n") if e]
            assert events[-1] == b"data: [DONE]", "a stream that was cut silently"
            said = [json.loads(e[6:]) for e in events[:-1] if b'"error"' in e]
            found = said[-1]["error"] if said else None
        else:
            found = json.loads(self.body).get("error")
        if found is not None:
            assert {"message", "type", "param", "code"} <= set(found), found
        return found

    def __str__(self) -> str:
        error = self.error
        if self.status != 200:
            return f"{self.status} `{error['code'] if error else None}`"
        by = self.headers["x-edgewise-candidate"]
        return f"200 from {by}" + (f", then the error event `{error['code']}`" if error else "")


@dataclass
class Rig:
    """What a row works with: `sick` behind `chaos`, the `healthy` one beside, and the gateway before both."""

    home: Path
    patch: pytest.MonkeyPatch
    sick: Endpoint = field(default_factory=Endpoint)
    healthy: Endpoint = field(default_factory=Endpoint)
    records: list[Record] = field(default_factory=list)
    limits: str = LIMITS
    more: str = ""
    scheme: str = "http"
    host: str = "127.0.0.1"
    address: str = ""  # where it is not the chaos proxy's
    warm_up: bool = False  # ask once before the request that counts, so that a connection is kept
    hang_up: bool = False  # and reset it
    chaos: Chaos = field(init=False)
    app: App = field(init=False)
    _gateway: Gateway = field(init=False)

    @asynccontextmanager
    async def running(self, inject: Callable[[Rig], Awaitable[None]]) -> AsyncIterator[None]:
        """Open all of it, with the fault in place. At the end nothing may be left: no connection, no task."""
        before = asyncio.all_tasks()
        self.chaos = Chaos("127.0.0.1", 0)
        await inject(self)
        async with self.sick.listening(), self.healthy.listening():
            self.chaos.target_port = self.sick.port
            async with self.chaos:
                await self._opened()
                async with self.app:
                    pages = Pages(
                        self.app.router,
                        self.app.log,
                        self.app.reader,
                        self.app.settings.server,
                        {},
                        lambda: None,
                    )
                    self._gateway = Gateway(self.app.router, pages, self.app.settings.server)
                    yield
                await until(lambda: self.chaos.open_connections == self.sick.open == self.healthy.open == 0)
            await until(lambda: asyncio.all_tasks() <= before)

    async def _opened(self) -> None:
        self.patch.setenv("EDGEWISE_HOME", str(self.home))
        path = self.home / "edgewise.toml"
        path.write_text(self._config())
        self.app = App(load(path), observer=self.records.append)

    def _config(self) -> str:
        address = self.address or f"{self.host}:{self.chaos.port}"
        return f"""
[policy]
kind = "fixed"
candidate = "sick"
explore = 0.0
[execution]{self.limits}
[[candidates]]
id = "sick"
location = "cloud"
url = "{self.scheme}://{address}/v1"
price = {{ input = 1.0, output = 2.0 }}
max_answer_bytes = 200000
{self.more}
[[candidates]]
id = "well"
location = "edge"
url = "http://127.0.0.1:{self.healthy.port}/v1"
price = {{ input = 0.1, output = 0.2 }}
"""

    def heal(self) -> None:
        """Take the fault away."""
        self.chaos.faults = NONE
        self.sick.answer, self.sick.keep = well, True

    async def ask(self, model: str, *, streamed: bool, headers: dict[str, str] | None = None) -> Told:
        """One request to the gateway, as a client sees it."""
        fields = {"model": model, "messages": [{"role": "user", "content": "What is the capital?"}]}
        body = json.dumps({**fields, "stream": streamed}).encode()
        given = [(k.encode(), v.encode()) for k, v in {"host": "127.0.0.1", **(headers or {})}.items()]
        scope = {"type": "http", "method": "POST", "path": CHAT, "headers": given, "query_string": b""}
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._gateway(scope, receive, send)
        took_s = loop.time() - began
        seen = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Told(sent[0]["status"], seen, b"".join(m.get("body", b"") for m in sent[1:]), took_s)

    def held(self, told: Told) -> str:
        """What the log holds of a request: its one outcome, the calls that were made, what it cost."""
        name = told.headers["x-request-id"]
        decisions = [r for r in self.records if isinstance(r, Decision) and r.id == name]
        outcomes = [r for r in self.records if isinstance(r, Outcome) and r.decision_id == name]
        assert len(decisions) == len(outcomes) == 1
        story = self.app.reader.decision(name)
        assert story is not None
        assert story.outcome == outcomes[0]
        calls = ", ".join(f"{a.candidate} {a.status}" for a in outcomes[0].attempts)
        return f"{outcomes[0].status} ({calls or 'nobody asked'}), {_cost(outcomes[0])}"


def _cost(outcome: Outcome) -> str:
    if outcome.cost_usd is None:
        return f"cost unknown, {outcome.cost_state}"
    return f"{'cost' if outcome.cost_usd > 0 else 'no cost'} {outcome.cost_state}"


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what must come to hold."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")
