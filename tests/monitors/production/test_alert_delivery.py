from __future__ import annotations

import asyncio
import hmac
import json
import logging
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
import pytest

from edgewise.domain.errors import SettingsError
from edgewise.monitors.production.alerts import Alert, Change
from edgewise.monitors.production.delivery import Command, Webhook, deliveries_for, to_log
from edgewise.monitors.production.kept import ALERTS, acknowledge, read_alerts, write_alerts
from edgewise.settings.monitoring import MonitorSettings

ALERT = Alert("latency", "p95_s", "5m", 0.15, 0.3, 100, 50.0, 60.0)
CHANGE = Change("began", ALERT)
SECRET = "whsec-of-a-test"


class Receiver:
    """Answers each POST with the next of `statuses`, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.seen.append(({**headers, "": head[0]}, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def delivered(*statuses: int) -> tuple[Receiver, list[float]]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def main() -> Receiver:
        async with Receiver(*statuses) as receiver:
            await Webhook(receiver.url, SECRET, sleep=sleep)(CHANGE, 1000.5)
        return receiver

    return asyncio.run(main()), pauses


def test_a_webhook_gets_the_alert_signed() -> None:
    receiver, pauses = delivered(204)
    ((headers, body),) = receiver.seen
    assert headers[""] == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert told["step"] == "began"
    assert told["sentence"] == ALERT.sentence
    assert told["alert"]["first_at"] == 50.0
    digest = hmac.new(SECRET.encode(), b"1000." + body, "sha256").hexdigest()
    assert headers["x-edgewise-signature"] == f"t=1000,v1={digest}"
    assert SECRET not in str(receiver.seen)
    assert pauses == []


def test_it_is_tried_again_with_a_new_signature() -> None:
    receiver, pauses = delivered(503, 429, 200)
    times = [headers["x-edgewise-signature"].partition(",")[0] for headers, _ in receiver.seen]
    assert times == ["t=1000", "t=1001", "t=1006"]
    assert pauses == [1.0, 5.0]


@pytest.mark.parametrize(("status", "tries"), [(500, 4), (404, 1), (302, 1)])
def test_what_is_not_taken_is_said_in_the_log(
    status: int, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, _ = delivered(status)
    assert len(receiver.seen) == tries
    assert f"did not take alert latency: it answered with HTTP {status}." in caplog.text
    assert SECRET not in caplog.text


def test_a_receiver_that_is_not_there_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    async def sleep(_: float) -> None:
        return None

    async def main() -> None:
        async with Receiver(200) as receiver:
            url = receiver.url
        await Webhook(url, SECRET, sleep=sleep)(CHANGE, 1.0)

    asyncio.run(main())
    assert "did not take alert latency" in caplog.text


def test_a_command_reads_the_alert_and_not_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    file = tmp_path / "told; $(touch x).json"
    code = "import os,sys; open(sys.argv[1],'w').write(sys.stdin.read() + os.environ.get('HOOK_SECRET', '-'))"
    asyncio.run(Command((sys.executable, "-c", code, str(file)), ("HOOK_SECRET",))(CHANGE, 1.0))
    told, _, secret = file.read_text().partition("\n")
    assert json.loads(told)["alert"]["name"] == "latency"
    assert secret == "-"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "ended with code 3"),
        (("/nowhere/at-all",), "cannot be started"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "took too long"),
    ],
)
def test_a_command_that_fails_is_said_in_the_log(
    words: tuple[str, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(Command(words, timeout_s=0.5 if "too long" in said else 30.0)(CHANGE, 1.0))
    assert said in caplog.text


def test_the_log_is_always_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asyncio.run(to_log(CHANGE, 1.0))
    assert f"Alert latency began: {ALERT.sentence}" in caplog.text
    assert deliveries_for(MonitorSettings()) == (to_log,)


def test_a_webhook_needs_its_secret() -> None:
    variable = "HOOK_SECRET"
    settings = MonitorSettings(webhook="http://127.0.0.1:9/x", secret_env=variable)
    assert len(deliveries_for(settings, {"HOOK_SECRET": SECRET})) == 2
    with pytest.raises(SettingsError, match="HOOK_SECRET, which monitor"):
        deliveries_for(settings, {"HOOK_SECRET": ""})


def test_alerts_outlive_the_process_and_are_acknowledged_from_another(tmp_path: Path) -> None:
    assert read_alerts(tmp_path) == ()
    write_alerts(tmp_path, [ALERT])
    assert read_alerts(tmp_path) == (ALERT,)
    assert acknowledge(tmp_path, "errors", 70.0) is None
    first = acknowledge(tmp_path, "latency", 70.0)
    assert first is not None
    assert first.acknowledged_at == 70.0
    assert acknowledge(tmp_path, "latency", 80.0) == first == read_alerts(tmp_path)[0]
    again = Alert("latency", "p95_s", "5m", 0.15, 0.3, 100, 90.0, 91.0)
    write_alerts(tmp_path, [again])
    assert read_alerts(tmp_path) == (again,), "a new episode is nobody's yet"
    (tmp_path / "alerts.json").write_text("{torn")
    assert read_alerts(tmp_path) == ()


def test_an_answer_that_drips_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    over: list[asyncio.Event] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over.append(ended := asyncio.Event())
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 x\r\ncontent-length: 60000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.01)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        ended.set()

    async def sleep(_: float) -> None:
        return

    async def main() -> None:
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
            await Webhook(url, SECRET, sleep=sleep, whole_s=0.2)(CHANGE, 1.0)
            for ended in over:
                await ended.wait()

    asyncio.run(main())
    assert "took longer than 0.2 s" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_what_a_command_has_started_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "child"
    script = f"sleep 600 & echo $! > {file}.part; mv {file}.part {file}; wait"

    def lives(child: psutil.Process) -> bool:
        with suppress(psutil.NoSuchProcess):
            return child.status() != psutil.STATUS_ZOMBIE  # nobody may collect it where there is no init
        return False

    async def main() -> psutil.Process:
        run = asyncio.create_task(Command(("/bin/sh", "-c", script))(CHANGE, 1.0))
        while not file.exists():
            assert not run.done()
            await asyncio.sleep(0.01)
        child = psutil.Process(int(file.read_text()))
        run.cancel()
        await asyncio.wait([run])
        return child

    child = asyncio.run(main())
    for _ in range(6000):
        if not lives(child):
            return
        threading.Event().wait(0.01)
    raise AssertionError("it lives on")


@pytest.mark.parametrize("torn", [b"", b'[{"name": "la', b'["\xff\xfe"]', b"[" * 100_000, b"null"])
def test_a_torn_file_of_alerts_says_nothing(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / ALERTS).write_bytes(torn)
    assert read_alerts(tmp_path) == ()
