"""Connections that only sit there hurt nobody, and there is an end to them."""

from __future__ import annotations

import json
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def opened(running: Running) -> socket.socket:
    port = int(running.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def test_beyond_the_most_connections_a_new_one_is_told_so(mock: Mock, tmp_path: Path) -> None:
    """More connections than there may be.

    Injected: a sixth connection where `max_connections` is 5.
    Client: 503 that names `max_connections`; who is connected is answered.
    Log: the outcomes of all that were answered.
    """
    config = two_candidates(mock, "[server]\nmax_connections = 5")
    with gateway(tmp_path, config) as running, ExitStack() as held:
        idle = [held.enter_context(opened(running)) for _ in range(5)]
        with opened(running) as late:
            got = b""
            while piece := late.recv(65536):
                got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in head
        assert "max_connections" in json.loads(body)["error"]["message"]
        idle.pop().close()
        assert running.post("/v1/chat/completions", CHAT)[0] == 200


@pytest.mark.parametrize("many", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_idle_connections_do_not_hurt_and_are_closed(mock: Mock, tmp_path: Path, many: int) -> None:
    """5,000 idle connections.

    Injected: 300 connections (5,000 in `make test-all`) that send nothing.
    Client: an answer each time; the idle ones are closed after `header_timeout_s`.
    Log: the outcomes of all that were answered.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < many + 200:
        if hard < 2 * many + 200:
            pytest.skip("this system does not let a process open so many connections")
        resource.setrlimit(resource.RLIMIT_NOFILE, (many + 200, hard))
    patience = 5.0 if many < 1000 else 30.0
    config = two_candidates(mock, f"[server]\nheader_timeout_s = {patience}")
    with gateway(tmp_path, config) as running, ExitStack() as held:
        idle = [held.enter_context(opened(running)) for _ in range(many)]
        assert running.post("/v1/chat/completions", CHAT)[0] == 200
        for connection in idle:
            connection.settimeout(60)
            assert connection.recv(1) == b""  # closed by the gateway, for silence
        assert running.post("/v1/chat/completions", CHAT)[0] == 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
