"""The end: what is under way finishes, what is new hears 503, what takes too long is cut off aloud."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

STREAM = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
PLAIN = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def connected(running: Running) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(running.url.rpartition(":")[2]), timeout=10)


def begun(running: Running, body: Any) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = connected(running)
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    return connection, connection.getresponse()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def outcomes(running: Running) -> list[tuple[str, str | None]]:
    with sqlite3.connect(running.log) as log:
        return log.execute("SELECT status, json_extract(details, '$.error') FROM outcomes").fetchall()


def slow(mock: Mock) -> None:
    """Begin with a word at once, then say nothing more."""
    mock.events, mock.pause_s = mock.events[1:], 60.0


def config(mock: Mock, drain_s: float) -> str:
    return two_candidates(mock, f"[policy]\nexplore = 0.0\n[server]\ndrain_s = {drain_s}")


def test_streams_finish_and_new_requests_hear_503(mock: Mock, tmp_path: Path) -> None:
    mock.pause_s = 0.3
    with gateway(tmp_path, config(mock, 30.0), started=True) as running:
        connection, answer = begun(running, STREAM)
        answer.read(1)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: running.get("/readyz")[0] == 503)
        assert running.get("/readyz")[1]["status"] == "not ready"
        assert running.get("/healthz")[0] == 200
        late, refused = begun(running, PLAIN)
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["connection"] == "close"
        assert json.loads(refused.read())["error"]["code"] == "shutting_down"
        late.close()
        assert answer.read().endswith(b"data: [DONE]\n\n")
        connection.close()
        assert running.process.wait(15) == 0
        assert outcomes(running) == [("ok", None)]
        assert not (running.home / "stderr").read_text().count("Traceback")


def test_what_takes_too_long_is_cut_off_with_an_event_and_a_record(mock: Mock, tmp_path: Path) -> None:
    slow(mock)
    with gateway(tmp_path, config(mock, 0.2), started=True) as running:
        stream, streaming = begun(running, STREAM)
        streaming.read(1)
        plain = connected(running)
        plain.request("POST", "/v1/chat/completions", json.dumps(PLAIN))
        until(lambda: len(mock.calls) == 2)
        running.process.send_signal(signal.SIGTERM)
        last = streaming.read()
        assert b'"code":"shutting_down"' in last
        assert last.endswith(b"data: [DONE]\n\n")
        refused = plain.getresponse()
        assert (refused.status, json.loads(refused.read())["error"]["code"]) == (503, "shutting_down")
        for connection in (stream, plain):
            connection.close()
        assert running.process.wait(15) == 0
        found = outcomes(running)
        assert len(found) == 2
        assert {status for status, _ in found} <= {"cancelled", "incomplete"}
        assert {error for _, error in found} == {"Edgewise was ended before the answer was whole."}
        assert mock.calls[0].hung_up.wait(5)


def test_a_second_signal_ends_it_at_once(mock: Mock, tmp_path: Path) -> None:
    slow(mock)
    with gateway(tmp_path, config(mock, 3600.0), started=True) as running:
        connection, answer = begun(running, STREAM)
        answer.read(1)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: running.get("/readyz")[0] == 503)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        connection.close()
