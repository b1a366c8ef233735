"""What a hostile client can do to a connection before anybody looks at its request."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

import pytest
from tests.servers import Mock, Running

from edgewise.gateway.connection import MOST_AHEAD

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
CHAT = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}).encode()
MODELS = b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n"
OFFERS = [
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAA\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n",
]


def opened(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=20)


def ended(connection: socket.socket) -> bytes:
    """All that comes until the gateway closes."""
    got = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            got += piece
    return got


def bodies(got: bytes) -> list[object]:
    """The bodies of plain answers that came one after the other."""
    found: list[object] = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        (length,) = (int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        found.append(json.loads(rest[:length]))
        got = rest[length:]
    return found


@pytest.mark.parametrize("offer", OFFERS)
def test_an_offer_of_another_protocol_is_declined_and_the_body_read(
    running: Running, shared_mock: Mock, offer: bytes
) -> None:
    with opened(running) as connection:
        sent = HEAD + offer + b"content-length: %d\r\n\r\n" % len(CHAT) + CHAT
        connection.sendall(sent + MODELS + offer + b"\r\n" + MODELS + b"connection: close\r\n\r\n")
        answers = bodies(ended(connection))
    assert [set(answer) & {"choices", "data"} for answer in answers] == [{"choices"}, {"data"}, {"data"}]  # type: ignore[call-overload]
    assert json.loads(shared_mock.calls[0].body)["messages"] == json.loads(CHAT)["messages"]
    assert "Unsupported" not in (running.home / "stderr").read_text()


def test_a_body_behind_an_offer_is_nobodys_request(running: Running) -> None:
    smuggled = MODELS + b"\r\n"
    with opened(running) as connection:
        length = b"connection: upgrade, close\r\nupgrade: h2c\r\ncontent-length: %d\r\n\r\n" % len(smuggled)
        connection.sendall(HEAD + length)
        connection.sendall(smuggled)
        got = ended(connection)
    assert got.startswith(b"HTTP/1.1 400")
    assert got.count(b"HTTP/1.1 ") == 1


def test_connect_is_refused(running: Running) -> None:
    with opened(running) as connection:
        connection.sendall(b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert ended(connection).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "endless", [b"0\r\n" + b"a: b\r\n" * 200_000, b"0\r\na: " + b"b" * 1_000_000, b"5;" + b"a" * 1_000_000]
)
def test_trailers_and_extensions_without_end_are_cut_off(running: Running, endless: bytes) -> None:
    with opened(running) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n")
        with suppress(ConnectionError):
            connection.sendall(endless)
        got = ended(connection)  # it ends, though the request does not
    assert got == b"" or got.startswith(b"HTTP/1.1 431")


def test_a_trailer_is_no_header(running: Running) -> None:
    with opened(running) as connection:
        body = b"%x\r\n%b\r\n0\r\nx-edgewise-privacy: nonsense\r\n\r\n" % (len(CHAT), CHAT)
        connection.sendall(HEAD + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + body)
        assert ended(connection).startswith(b"HTTP/1.1 200")


def test_requests_ahead_of_their_answers_are_answered_in_order_up_to_a_number(running: Running) -> None:
    asked = b"".join(
        b"GET /v1/models/%b HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % name for name in (b"tiny", b"giant") * 20
    )
    with opened(running) as connection:
        connection.sendall(
            asked + b"GET /v1/models/auto HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        )
        answers = bodies(ended(connection))
    assert [answer["id"] for answer in answers] == ["tiny", "giant"] * 20 + ["auto"]  # type: ignore[index]


def test_more_requests_ahead_than_that_end_the_connection(running: Running, shared_mock: Mock) -> None:
    shared_mock.pause_s = 3.0  # the first one takes its time
    with opened(running) as connection:
        connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(CHAT) + CHAT)
        connection.sendall((MODELS + b"\r\n") * (MOST_AHEAD + 2))
        assert ended(connection) == b""
    shared_mock.pause_s = 0.0
    assert running.get("/v1/models")[0] == 200


@pytest.mark.parametrize("limit", ["9" * 5000, "0", "1001", "-1", "%C2%B2", "1e3"])
def test_a_limit_that_is_no_number_of_ours(running: Running, limit: str) -> None:
    status, answer = running.get(f"/v1/decisions?limit={limit}")
    assert (status, answer["error"]["param"]) == (400, "limit")
    assert "Traceback" not in (running.home / "stderr").read_text()
