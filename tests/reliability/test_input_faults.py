"""The fault matrix, input: whoever sends what, the gateway answers in shape, and goes on."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.domain.errors import SettingsError
from edgewise.features.endpoint.access import access_to
from edgewise.features.endpoint.names import Identity
from edgewise.settings import hash_key, new_key

CHAT = "/v1/chat/completions"
GOOD = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def raw(running: Running, sent: bytes) -> bytes:
    """What comes back on a connection of its own, until the gateway closes it or falls silent."""
    with socket.create_connection(
        ("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=5
    ) as connection:
        connection.sendall(sent)
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except (TimeoutError, ConnectionError):
            pass
    return got


# How many of a test's requests became decisions; of all others the log holds nothing.
DECIDED = {
    "test_a_request_cannot_name_an_endpoint": 5,
    "test_header_injection_through_model_names_and_ids": 2,  # and a refusal: candidates that nobody has
    "test_client_gone_mid_stream": 1,
}


def held(running: Running, table: str) -> int:
    """How many rows the log has in a table."""
    with closing(sqlite3.connect(running.log)) as log:
        count: int = log.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
    return count


@pytest.fixture(autouse=True)
def _goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every row the next request is answered as ever, and the log holds what it should."""
    if "running" not in request.fixturenames:
        yield
        return
    running: Running = request.getfixturevalue("running")
    before = held(running, "decisions")
    yield
    assert running.post(CHAT, GOOD)[0] == 200
    assert "Traceback" not in (running.home / "stderr").read_text()
    decided = DECIDED.get(request.function.__name__, 0) + 1
    assert held(running, "decisions") == held(running, "outcomes") == before + decided


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_100000_deep(running: Running, opening: bytes) -> None:
    """JSON 100,000 deep.

    Injected: a body with 100,000 lists or objects in one another, to four endpoints.
    Client: 400 `invalid_request_error`.
    Log: nothing: it never became a request.
    """
    body = b'{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"x":' + opening * 100_000
    for path in (CHAT, "/v1/route", "/v1/feedback", "/v1/embeddings"):
        status, answer = running.post(path, body)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error"), path


@pytest.mark.parametrize(
    "text", [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\x00", b"\xf4\x90\x80\x80"]
)
def test_invalid_utf8_nul_lone_surrogates(running: Running, shared_mock: Mock, text: bytes) -> None:
    """Invalid UTF-8, NUL, lone surrogates.

    Injected: a prompt with bytes that are no UTF-8, with NUL, or with half of a surrogate pair, plain or
      escaped.
    Client: 400 `invalid_request_error`; no endpoint is asked.
    Log: nothing: it never became a request.
    """
    body = b'{"model":"tiny","messages":[{"role":"user","content":"' + text + b'"}]}'
    status, answer = running.post(CHAT, body)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert not shared_mock.calls


def test_100_mb_prompt(running: Running, shared_mock: Mock) -> None:
    """A prompt of 100 MB.

    Injected: a body whose length is said to be 100 MB, and one of 2 MB where 1 MB is the limit.
    Client: 413 that names `max_body_bytes`, before the body has come.
    Log: nothing: it never became a request.
    """
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000000\r\n\r\n"
    assert raw(running, head + b"x" * 1000).startswith(b"HTTP/1.1 413")  # it need not come to be refused
    status, answer = running.post(CHAT, b" " * 2_000_000)  # the module's limit is a megabyte
    assert status == 413
    assert "max_body_bytes" in answer["error"]["message"]
    assert not shared_mock.calls


SMUGGLED = b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        b"content-length: -1\r\n",
        b"content-length: +5\r\n",
        b"content-length: 5 5\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"content-length : 5\r\n",
        b"transfer-encoding\x0b: chunked\r\n",
    ],
)
def test_conflicting_length_headers_request_smuggling(running: Running, headers: bytes) -> None:
    """Conflicting length headers, request smuggling.

    Injected: nine ways to say two lengths, or one that can be read in two ways, with a second request
      behind the body.
    Client: one 400, and the end of the connection; the second request is nobody's.
    Log: nothing: it never became a request.
    """
    head = b"POST /v1/feedback HTTP/1.1\r\nhost: 127.0.0.1\r\n" + headers + b"\r\n"
    got = raw(running, head + b"0\r\n\r\n" + SMUGGLED)
    assert got.startswith(b"HTTP/1.1 400"), got
    assert got.count(b"HTTP/1.1 ") == 1  # what was smuggled is nobody's request
    assert b'"object":"list"' not in got


PRIVATE = (
    "http://169.254.169.254/v1",
    "http://[fe80::1]/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[fd00:ec2::254]/v1",
    "http://2852039166/v1",
    "http://0xa9fea9fe/v1",
    "http://0251.0376.0251.0376/v1",
    "http://10.0.0.1/v1",
    "http://192.168.1.1/v1",
    "http://127.1/v1",
    "http://0/v1",
    "http://metadata.google.internal/v1",
    "http://169.254.169.254.nip.io/v1",
    "http://localhost.evil.example/v1",
)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_or_metadata_address_as_endpoint(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private or metadata address as an endpoint.

    Injected: a bundle that names one for its vectors, in fourteen spellings.
    Client: a sentence at the start: nobody here has allowed it; nothing is sent there.
    Log: nothing: no request is made.
    """
    monkeypatch.delenv("EDGEWISE_FEATURES_URL", raising=False)
    with pytest.raises(SettingsError, match="nobody here has allowed"):
        access_to(Identity(1, "0", "m", url))


def test_a_request_cannot_name_an_endpoint(running: Running, shared_mock: Mock) -> None:
    """A request that names an endpoint.

    Injected: `api_base`, `base_url`, `url`, `endpoint` or `api_key` in the body.
    Client: an answer from where the configuration says; 400 where it stands in `edgewise`.
    Log: the candidates of the configuration, and no others.
    """
    for key in ("api_base", "base_url", "url", "endpoint", "api_key"):
        assert running.post(CHAT, {**GOOD, key: "http://169.254.169.254/v1"})[0] == 200
        status, answer = running.post(CHAT, {**GOOD, "edgewise": {key: "http://169.254.169.254/v1"}})
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert len(shared_mock.calls) == 5  # all of them where the configuration says


def test_redirect_to_a_private_address(tmp_path: Path, mock: Mock) -> None:
    """A redirect to a private address.

    Injected: the endpoint answers with HTTP 307.
    Client: 502 `upstream_error`; nobody follows it.
    Log: one outcome, `error`.
    """
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", f"{mock.url}/chat/completions")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        config = f"""
[[candidates]]
id = "moved"
location = "edge"
url = "http://127.0.0.1:{server.server_port}/v1"
"""
        with gateway(tmp_path, config) as running:
            status, answer = running.post(CHAT, {**GOOD, "model": "moved"})
            assert (status, answer["error"]["code"]) == (502, "upstream_error")
        assert "/v1/chat/completions" in asked
        assert not mock.calls
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/decisions/../../etc/passwd",
        "/v1/decisions/..%2f..%2fetc%2fpasswd",
        "/v1/models/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/models/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../etc/passwd",
        "/..%5c..%5cetc/passwd",
        "//etc/passwd",
        "/v1/decisions/req_%00",
    ],
)
def test_path_traversal_in_ids_and_static_paths(running: Running, path: str) -> None:
    """Path traversal in ids and static paths.

    Injected: `..`, plain and encoded, `%00` and doubled slashes in eight paths.
    Client: 404 or 400, and nothing of any file.
    Log: nothing: it never became a request.
    """
    got = raw(running, f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
    assert got.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), got
    assert b"root:" not in got


INJECTION = "x\r\nset-cookie: stolen=1\r\n\r\n"


def test_header_injection_through_model_names_and_ids(running: Running, shared_mock: Mock) -> None:
    """Header injection through model names and ids.

    Injected: line breaks and a header in the model, the policy, the session, the objective and the
      candidates of a request, and our own header in an endpoint's answer.
    Client: 400 or 404 without that header; what an endpoint says in headers stays there.
    Log: a refusal of the candidates that nobody has; nothing of the others.
    """
    for body in (
        {**GOOD, "model": INJECTION},
        {**GOOD, "model": f"auto:{INJECTION}"},
        {**GOOD, "edgewise": {"session": INJECTION}},
        {**GOOD, "edgewise": {"objective": INJECTION}},
        {**GOOD, "edgewise": {"candidates": [INJECTION]}},
    ):
        sent = json.dumps(body).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {len(sent)}"
        got = raw(running, f"{head}\r\n\r\n".encode() + sent)
        assert got[9:12] in (b"400", b"404"), got
        assert b"set-cookie" not in got.partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nset-cookie" not in got
    shared_mock.headers = {"x-edgewise-candidate": "forged"}  # what an endpoint says in headers stays there
    got = raw(
        running,
        f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        f"content-length: {len(json.dumps(GOOD))}\r\n\r\n{json.dumps(GOOD)}".encode(),
    )
    assert b"forged" not in got


def test_a_key_wherever_it_might_leak(mock: Mock, tmp_path: Path) -> None:
    """A key, in every place where it might leak.

    Injected: a client's key and an endpoint's, with answers and errors of that endpoint.
    Client: neither of them, nor a hash, in any answer, header or error.
    Log: neither of them, nor a hash: not in the database, not in what the gateway prints; the endpoint
      gets its own key only.
    """
    client, upstream = new_key(), "sk-canary-3f1d9a"
    server = f'[[server.keys]]\nname = "ann"\nhash = "{hash_key(client)}"\nscopes = ["admin"]'
    mine = {"authorization": f"Bearer {client}"}
    seen = b""
    with gateway(tmp_path, two_candidates(mock, server), env={"GIANT_KEY": upstream}) as running:
        for model in ("tiny", "giant"):
            for status in (200, 401, 500):
                mock.status = status
                for stream in (False, True):
                    body = {**GOOD, "model": model, "stream": stream}
                    sent = json.dumps(body).encode()
                    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
                    head += f"authorization: Bearer {client}\r\ncontent-length: {len(sent)}\r\n\r\n"
                    seen += raw(running, head.encode() + sent)
        for path in ("/v1/decisions", "/v1/models", "/readyz", "/nothing", "/v1/decisions/x"):
            seen += json.dumps(running.get(path, mine)).encode()
        seen += json.dumps(running.get("/v1/models", {"authorization": f"Bearer {client}x"})).encode()
        with sqlite3.connect(running.log) as log:
            seen += "\n".join(log.iterdump()).encode()
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "edgewise.toml":
            seen += file.read_bytes()
    assert len(mock.calls) >= 12
    for secret in (client, upstream, hash_key(client).removeprefix("sha256:")):
        assert secret.encode() not in seen
    for call in mock.calls:  # the client's own key goes nowhere, the candidate's only to the candidate
        assert client not in json.dumps(call.headers)
        assert (upstream in json.dumps(call.headers)) is (call.json["model"] == "giant-9")


def test_client_gone_mid_stream(running: Running, shared_mock: Mock) -> None:
    """The client is gone mid-stream.

    Injected: the connection is closed after the first words.
    Client: nothing more; the endpoint is hung up on.
    Log: one outcome, `cancelled`.
    """
    shared_mock.events, shared_mock.pause_s = shared_mock.events[1:], 5.0
    sent = json.dumps({**GOOD, "stream": True}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(sent)}\r\n\r\n".encode()
    with socket.create_connection(
        ("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=5
    ) as connection:
        connection.sendall(head + sent)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert shared_mock.calls[-1].hung_up.wait(10)
    status, listed = running.get("/v1/decisions?limit=1")
    assert status == 200
    assert listed["data"][0]["outcome"]["status"] == "cancelled"
    shared_mock.pause_s = 0.0
