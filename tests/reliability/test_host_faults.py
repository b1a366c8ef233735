"""The fault matrix, host: what the machine under the gateway can do to it. Each test names its row."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.outcomes.sample import AT, decision, outcome
from tests.servers import Running, gateway

from edgewise.domain.decisions import Decision
from edgewise.domain.errors import AssetError
from edgewise.domain.ids import mint
from edgewise.outcomes import LogReader, SqliteLog
from edgewise.outcomes.ledger import Ledger
from edgewise.outcomes.retention import DAY_S
from edgewise.settings import StoreSettings
from edgewise.upstreams.embedded import EmbeddedRuntime

HOUR_S = 3600.0
CHAT = "/v1/chat/completions"
BODY = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
PATIENCE_S = 60.0


def config(more: str = "", *, on_failure: str = "serve") -> str:
    return f"""
[policy]
kind = "random"
[store]
on_failure = "{on_failure}"
{more}
[[candidates]]
id = "near"
location = "edge"
script = {{ replies = ["An answer from nearby."] }}
[[candidates]]
id = "far"
location = "cloud"
price = {{ input = 1.0, output = 2.0 }}
script = {{ replies = ["An answer from far away."] }}
"""


def ask(running: Running, *, stream: bool = False) -> tuple[int, str]:
    """Status and id of one answer; a stream is read to its end, which must be there."""
    port = int(running.url.rsplit(":", 1)[1])
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        body = b'{"model":"auto","stream":%s,"messages":[{"role":"user","content":"hi"}]}'
        connection.request("POST", CHAT, body % (b"true" if stream else b"false"))
        response = connection.getresponse()
        whole = response.read()
        assert b"Traceback" not in whole
        if stream and response.status == 200:
            assert whole.endswith(b"data: [DONE]\n\n")
        return response.status, response.headers["x-request-id"] or ""


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def warnings(running: Running) -> str:
    status, said = running.get("/healthz")
    assert status == 200
    return " ".join(said.get("warnings", []))


def well(running: Running) -> bool:
    return not any("wait in memory" in warning for warning in running.get("/healthz")[1].get("warnings", []))


def ended(running: Running) -> set[str]:
    """The ids of the decisions in the log, each of which must have ended."""
    with closing(LogReader(running.log)) as reader:
        stories = list(reader.stories())
    assert all(story.outcome is not None for story in stories)
    return {story.decision.id for story in stories}


# Row: disk full


def fill_up(running: Running) -> None:
    """From now on no file of the gateway may grow: for SQLite that is a disk without room."""
    limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))


def make_room(running: Running) -> None:
    limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (limits[1], limits[1]))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_disk_full_is_served_through(tmp_path: Path) -> None:
    """Disk full.

    Injected: the log's file may not grow while 20 requests come.
    Client: every one is answered; `/healthz` and `/readyz` warn.
    Log: the outcomes of all, once there is room again.
    """
    with gateway(tmp_path, config()) as running:
        told = [ask(running) for _ in range(3)]
        fill_up(running)
        told += [ask(running, stream=n % 2 == 0) for n in range(20)]
        assert {status for status, _ in told} == {200}
        assert re.search("cannot be (written|opened)", warnings(running))  # it is opened anew meanwhile
        assert running.get("/readyz")[0] == 200
        make_room(running)
        assert eventually(lambda: well(running))
        told.append(ask(running))
        assert ended(running) == {identity for _, identity in told}
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_disk_full_is_refused_where_that_is_wanted(tmp_path: Path) -> None:
    """Disk full, with `on_failure = "refuse"`.

    Injected: the log's file may not grow.
    Client: 503 `store_unavailable` until there is room, and `/readyz` fails.
    Log: the outcomes of all that were answered.
    """
    with gateway(tmp_path, config(on_failure="refuse")) as running:
        told = [ask(running)]
        fill_up(running)
        for _ in range(3):
            status, said = running.post(CHAT, BODY)
            assert status == 503
            assert said["error"]["code"] == "store_unavailable"
            assert "cannot be written" in said["error"]["message"]
        assert running.get("/readyz")[0] == 503
        assert running.get("/healthz")[0] == 200
        make_room(running)
        assert eventually(lambda: running.get("/readyz")[0] == 200)
        told.append(ask(running))
        assert {identity for _, identity in told} <= ended(running)


# Row: database locked 30 s (here for as long as it takes to see what happens meanwhile)


def test_database_locked_is_served_through(tmp_path: Path) -> None:
    """Database locked.

    Injected: another process holds the log's lock while six requests come.
    Client: every one is answered; a warning says how many entries wait.
    Log: the outcomes of all, once the lock is gone.
    """
    with gateway(tmp_path, config()) as running:
        told = [ask(running)]
        with closing(sqlite3.connect(running.log, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            told += [ask(running, stream=n % 2 == 0) for n in range(6)]
            assert "entries wait in memory" in warnings(running)
            other.execute("ROLLBACK")
        assert eventually(lambda: well(running))
        assert {status for status, _ in told} == {200}
        assert ended(running) == {identity for _, identity in told}


@pytest.mark.slow
def test_database_locked_for_30_s(tmp_path: Path) -> None:
    """Database locked 30 s.

    Injected: another process holds the log's lock for half a minute.
    Client: an answer each time.
    Log: the outcomes of all.
    """
    with gateway(tmp_path, config()) as running:
        told = [ask(running)]
        with closing(sqlite3.connect(running.log, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + 30
            while time.monotonic() < until:
                told.append(ask(running))
                time.sleep(0.2)
            other.execute("ROLLBACK")
        assert eventually(lambda: well(running))
        assert ended(running) == {identity for _, identity in told}


# Row: torn file


def test_torn_log_at_the_start_is_set_aside(tmp_path: Path) -> None:
    """Torn log at the start.

    Injected: all but the first 100 bytes of the log are random.
    Client: an answer each time; a warning and `edgewise doctor` say what happened.
    Log: a new log; the torn one is kept beside it.
    """
    with gateway(tmp_path, config()) as running:
        ask(running)
    log = tmp_path / "edgewise.sqlite"
    with closing(sqlite3.connect(log)) as connection:  # what its write-ahead log holds could mend it
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    torn = bytearray(log.read_bytes())
    torn[100:] = os.urandom(len(torn) - 100)
    log.write_bytes(torn)
    with gateway(tmp_path, config()) as running:
        assert "set aside" in warnings(running)
        told = [ask(running) for _ in range(3)]
        assert ended(running) == {identity for _, identity in told}
    (aside,) = tmp_path.glob("edgewise.sqlite.torn-*")
    assert aside.read_bytes() == torn
    doctor = subprocess.run(
        [sys.executable, "-m", "edgewise.cli", "doctor", "--config", str(tmp_path / "edgewise.toml")],
        env={**os.environ, "EDGEWISE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "in 1 gaps it lacks 0 records" in doctor.stdout
    assert "torn" in doctor.stdout


# Row: clock jumps ±1 h


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_clock_jumps(jump_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumps ±1 h.

    Injected: the time of day jumps by an hour, either way.
    Client: nothing of it: what waits and breaks goes by another clock.
    Log: records in the order in which they came, and the right day's spending.
    """
    now = [AT + 12 * HOUR_S]
    monkeypatch.setattr(time, "time", lambda: now[0])
    ledger = Ledger(10.0, clock=lambda: now[0])
    asked: list[Decision] = []

    async def main() -> None:
        rules = StoreSettings(max_age_days=1)
        async with SqliteLog(tmp_path / "log", retention=rules, clock=lambda: now[0]) as log:
            for step in range(6):
                if step == 3:
                    now[0] += jump_s
                one = decision(id=mint(), at=now[0])
                ending = outcome(one, at=now[0], cost_usd=0.5, cost_state="billed")
                await log.append(one, ending)
                ledger.observe(ending)
                asked.append(one)
            assert log.problem is None

    asyncio.run(main())
    with closing(LogReader(tmp_path / "log")) as reader:
        assert [story.decision.id for story in reader.stories()] == [one.id for one in asked]
        assert [story.decision.id for story in reader.latest()] == [one.id for one in reversed(asked)]
        assert [row[-3:] for row in reader.spent(AT)] == [("billed", 3.0, 6)]
    assert len({one.id for one in asked}) == 6
    assert ledger.today.usd == 3.0


def test_clock_jumps_forget_nothing_too_early(tmp_path: Path) -> None:
    """The clock jumps, and retention.

    Injected: the time of day goes an hour ahead and back again.
    Client: nothing of it.
    Log: all but what is older than the rule says, by an hour at most.
    """
    now = [AT + 10 * DAY_S]
    young, old = decision(at=now[0] - DAY_S + 2 * HOUR_S), decision(at=now[0] - 2 * DAY_S)

    async def main() -> None:
        async with SqliteLog(tmp_path / "log") as log:
            await log.append(old, young, replace(young, id=mint()))
        for jump_s in (HOUR_S, -HOUR_S):
            now[0] += jump_s
            rules = StoreSettings(max_age_days=1)
            async with SqliteLog(tmp_path / "log", retention=rules, clock=lambda: now[0]) as log:
                await log.append(decision(at=now[0]))

    asyncio.run(main())
    with closing(LogReader(tmp_path / "log")) as reader:
        assert reader.decision(old.id) is None
        assert reader.decision(young.id) is not None


# Row: memory limit hit


def test_memory_limit_hit_while_writing_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory limit hit while writing.

    Injected: three attempts to write fail for want of memory.
    Client: nothing of it.
    Log: every record, a little later.
    """
    from edgewise.outcomes import writer  # noqa: PLC0415 - patched here alone

    write, left = writer.write, iter([True, True, True])

    def hungry(*arguments: Any) -> None:
        if next(left, False):
            raise MemoryError
        write(*arguments)

    monkeypatch.setattr(writer, "write", hungry)
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    asked = [decision() for _ in range(5)]

    async def main() -> None:
        async with SqliteLog(tmp_path / "log", on_failure="serve") as log:
            for one in asked:
                await log.append(one)
            async with asyncio.timeout(PATIENCE_S):
                while log.problem is not None or log.backlog:  # noqa: ASYNC110 - a thread sets it
                    await asyncio.sleep(0.01)
            assert log.lost == 0

    asyncio.run(main())
    with closing(LogReader(tmp_path / "log")) as reader:
        assert reader.count() == 5


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_memory_limit_hit_by_a_request(tmp_path: Path) -> None:
    """Memory limit hit by a request.

    Injected: a body of 300 MB where 120 MB are left.
    Client: an error, or the end of this one connection; the next request is answered.
    Log: the outcomes of all that were answered.
    """
    with gateway(tmp_path, config("[server]\nmax_body_bytes = 400000000")) as running:
        told = [ask(running)]
        used = int(Path(f"/proc/{running.process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(
            running.process.pid, resource.RLIMIT_AS, (used + 120_000_000, resource.RLIM_INFINITY)
        )
        port = int(running.url.rsplit(":", 1)[1])
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
            head = b'{"model":"auto","messages":[{"role":"user","content":"'
            try:
                connection.request("POST", CHAT, head + b"x" * 300_000_000 + b'"}]}')
                assert connection.getresponse().status >= 400
            except (OSError, HTTPException):  # its connection is gone: an answer would have needed memory
                pass
        assert running.process.poll() is None
        told.append(ask(running))
        assert {status for status, _ in told} == {200}
        assert {identity for _, identity in told} <= ended(running)


# Row: file descriptors exhausted


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_file_descriptors_exhausted(tmp_path: Path) -> None:
    """File descriptors exhausted.

    Injected: 30 connections where six more descriptors may be opened.
    Client: who is connected is answered; all others once there is room.
    Log: the outcomes of all that were answered.
    """
    with gateway(tmp_path, config()) as running:
        told = [ask(running), ask(running, stream=True)]
        pid, port = running.process.pid, int(running.url.rsplit(":", 1)[1])
        used = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - a count, not paths
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        held = []
        with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_S)) as kept:
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert kept.recv(4096).startswith(b"HTTP/1.1 200")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 6, most))
            held = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(30)]
            body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]}'
            head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
            kept.sendall(head % (CHAT.encode(), len(body)) + body)
            assert kept.recv(4096).startswith(b"HTTP/1.1 200"), "who is connected is answered"
        for connection in held:
            connection.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
        told.append(ask(running))
        assert {status for status, _ in told} == {200}
        assert {identity for _, identity in told} <= ended(running)
        assert eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= used + 2)  # noqa: PTH208 - a count


# Row: embedded model killed, hung, or its file corrupt (hung: tests/upstreams/test_embedded_health.py)


def test_embedded_model_killed_and_its_file_corrupt(tmp_path: Path) -> None:
    """The embedded model's process killed, and its file corrupt.

    Injected: `kill -9`, after all but a megabyte of the file was cut off.
    Client: an error that says that the file cannot be loaded.
    Log: nothing; the runtime is asked without a gateway here.
    """
    from edgewise import assets  # noqa: PLC0415 - only where the model is pulled

    model = tmp_path / "model.gguf"
    shutil.copy(assets.path_of("smollm2-135m"), model)

    async def main() -> None:
        runtime = EmbeddedRuntime(model, "m")
        try:
            await runtime.url()
            pid = runtime.pid
            assert pid is not None
            model.write_bytes(model.read_bytes()[:1_000_000])
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE_S):
                while runtime.pid is not None:  # noqa: ASYNC110 - the kernel sets it
                    await asyncio.sleep(0.01)
            with pytest.raises(AssetError, match="cannot be loaded as a GGUF model"):
                await runtime.url()
        finally:
            await runtime.aclose()

    asyncio.run(main())


# Row: SIGTERM under load


def test_sigterm_under_load_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM under load.

    Injected: `SIGTERM` while four clients ask without a pause.
    Client: an answer, or a closed door; the exit code is 0.
    Log: the outcomes of all that were answered.
    """
    told: list[tuple[int, str]] = []
    with gateway(tmp_path, config()) as running:
        stop = threading.Event()

        def load(*, stream: bool) -> None:
            while not stop.is_set():
                try:
                    told.append(ask(running, stream=stream))
                except (OSError, HTTPException):  # the door is closed
                    return

        threads = [threading.Thread(target=load, kwargs={"stream": n % 2 == 0}) for n in range(4)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: len(told) > 20)
        running.process.terminate()
        assert running.process.wait(PATIENCE_S) == 0
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        answered = {identity for status, identity in told if status == 200}
        assert answered <= ended(running)
