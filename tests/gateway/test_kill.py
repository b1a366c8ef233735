"""What a client was told is on disk: the gateway is killed in mid-load, and the log holds every answer."""

from __future__ import annotations

import signal
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.outcomes import LogReader

ROUNDS, QUICK = 25, 5  # the rest is for `make test-all`; a thousand: benchmarks/kills.py


def load(
    running: Running, acknowledged: list[tuple[str, bool]], stop: threading.Event, *, stream: bool
) -> None:
    body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]%b}' % (
        b',"stream":true' if stream else b""
    )
    while not stop.is_set():
        try:
            request = urllib.request.Request(running.url + "/v1/chat/completions", body)
            with urllib.request.urlopen(request, timeout=10) as response:
                identity = response.headers["x-request-id"]
                acknowledged.append((identity, False))
                whole = response.read()
                if not stream or whole.endswith(b"data: [DONE]\n\n"):
                    acknowledged.append((identity, True))
        except (OSError, urllib.error.URLError, HTTPException):
            return


@pytest.mark.parametrize(
    "round_", [pytest.param(n, marks=[pytest.mark.slow] if n >= QUICK else []) for n in range(ROUNDS)]
)
def test_kill_9_loses_nothing_that_was_acknowledged(mock: Mock, tmp_path: Path, round_: int) -> None:
    """kill -9.

    Injected: `kill -9` while six clients ask without a pause.
    Client: a broken connection.
    Log: every decision whose answer had begun, and every outcome whose answer had ended.
    """
    acknowledged: list[tuple[str, bool]] = []
    stop = threading.Event()
    with gateway(tmp_path, two_candidates(mock)) as running:
        threads = [
            threading.Thread(target=load, args=(running, acknowledged, stop), kwargs={"stream": n % 2 == 0})
            for n in range(6)
        ]
        for thread in threads:
            thread.start()
        patience = time.monotonic() + 60
        while len(acknowledged) <= 20 + 30 * (round_ % 7):  # never at the same point of a batch
            assert time.monotonic() < patience, f"{len(acknowledged)} answers in a minute"
            time.sleep(0.01)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        stop.set()
        for thread in threads:
            thread.join(20)
    reader = LogReader(tmp_path / "edgewise.sqlite")
    for identity, whole in acknowledged:
        story = reader.decision(identity)
        assert story is not None, f"{identity} was acknowledged and is lost"
        assert not whole or story.outcome is not None, f"{identity} ended and its outcome is lost"
