"""Bodies that are too long, too slow or without an end: refused at once, and so that clients can see it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

CHAT = "/v1/chat/completions"
LIMIT = 1_000_000
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


@contextmanager
def connected(running: Running) -> Iterator[socket.socket]:
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the error of one answer that is read to its end."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    (length,) = (int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    while len(body) < length:
        body += connection.recv(65_536)
    error: dict[str, Any] = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return int(head.split()[1]), error


def test_a_length_over_the_limit_is_refused_before_the_body_comes(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(HEAD + b"content-length: 50000000\r\n\r\n")
        status, error = answer(connection)
    assert status == 413
    assert "max_body_bytes" in error["message"]


def test_the_rest_is_thrown_away_and_the_connection_lives_on(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(HEAD + b"content-length: 50000000\r\n\r\n" + b"a" * 50_000_000)
        assert answer(connection)[0] == 413
        body = b'{"messages":[]}'
        connection.sendall(HEAD + b"content-length: %d\r\n\r\n%b" % (len(body), body))
        status, error = answer(connection)
    assert status == 400
    assert "`messages` is empty" in error["message"]


def test_chunks_without_an_end_are_refused_once_they_are_too_many(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(LIMIT // 100_000 + 1):
            connection.sendall(b"186a0\r\n" + b"a" * 100_000 + b"\r\n")
        assert answer(connection)[0] == 413


@pytest.mark.parametrize(
    "begun", [b"content-length: 100\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"]
)
def test_a_body_that_never_comes(mock: Mock, tmp_path: Path, begun: bytes) -> None:
    config = two_candidates(mock, "[server]\nbody_timeout_s = 0.5")
    with gateway(tmp_path, config, env={"GIANT_KEY": "x"}) as started, connected(started) as connection:
        connection.sendall(HEAD + begun)
        status, error = answer(connection)
        assert status == 408
        assert "0.5 s" in error["message"]
        assert connection.recv(1) == b""  # what is still owed is not waited for any longer


def test_a_body_without_end_is_not_discarded_for_ever(mock: Mock, tmp_path: Path) -> None:
    config = two_candidates(mock, "[server]\nbody_timeout_s = 0.5\nmax_body_bytes = 1000")
    with gateway(tmp_path, config, env={"GIANT_KEY": "x"}) as started, connected(started) as connection:
        connection.sendall(HEAD + b"content-length: 999999999999\r\n\r\n")
        assert answer(connection)[0] == 413
        assert connection.recv(1) == b""


def test_broken_http_is_answered_in_the_shape_of_every_other_error(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        status, error = answer(connection)
    assert status == 400
    assert error["type"] == "invalid_request_error"
    assert "HTTP" in error["message"]


def test_a_client_that_wants_to_close_can_finish_first(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(HEAD + b"connection: close\r\ncontent-length: 3000000\r\n\r\n" + b"a" * 1_000_000)
        assert answer(connection)[0] == 413
        connection.sendall(b"a" * 2_000_000)
        assert connection.recv(1) == b""
