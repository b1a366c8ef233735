"""Every path and every scope: what a key opens, and that nothing else does."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.gateway.door import OPEN_PATHS
from edgewise.gateway.openapi import description
from edgewise.settings import hash_key, new_key

SCOPES = ("inference", "read", "admin")
KEYS = {scope: new_key() for scope in SCOPES}
NEEDED = {"/v1/decisions": "read", "/v1/decisions/{id}": "read", "/metrics": "read"}
PATHS = [
    (method.upper(), path)
    for path, methods in json.loads(description())["paths"].items()
    for method in methods
]
ADMIN = [("GET", path) for path in ("/", "/dashboard", "/admin", "/static/app.js", "/V1/models")]


@pytest.fixture(scope="module")
def keyed(shared_mock: Mock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    keys = "".join(
        f'[[server.keys]]\nname = "{scope}"\nhash = "{hash_key(key)}"\nscopes = ["{scope}"]\n'
        for scope, key in KEYS.items()
    )
    home = tmp_path_factory.mktemp("scopes")
    with gateway(home, two_candidates(shared_mock, keys), env={"GIANT_KEY": "sk-canary"}) as running:
        yield running


def needed(path: str) -> str | None:
    if path in OPEN_PATHS:
        return None
    return NEEDED.get(path, "inference" if path.startswith("/v1/") else "admin")


@pytest.mark.parametrize(("method", "path"), PATHS + ADMIN)
def test_each_path_opens_to_its_scope_and_to_admin_alone(keyed: Running, method: str, path: str) -> None:
    asked, wanted = path.replace("{id}", "x"), needed(path)
    body = b"{}" if method == "POST" else None
    for scope in SCOPES:
        status, answer = keyed.send(method, asked, body, {"authorization": f"Bearer {KEYS[scope]}"})
        allowed = wanted is None or scope in (wanted, "admin")
        assert (status != 403) is allowed, (scope, answer)
        if not allowed:
            assert answer["error"]["code"] == "insufficient_scope"
    for headers in ({}, {"authorization": "Bearer ew-wrong"}, {"authorization": f"Basic {KEYS['admin']}"}):
        status, answer = keyed.send(method, asked, body, headers)
        assert (status == 401) is (wanted is not None), answer


@pytest.mark.parametrize(
    "path", ["//v1/models/../metrics", "/v1/../metrics", "/v1/%2e%2e/metrics", "/v1//metrics"]
)
def test_an_inference_key_reaches_nothing_by_another_spelling(keyed: Running, path: str) -> None:
    status, answer = keyed.get(path, {"authorization": f"Bearer {KEYS['inference']}"})
    assert status in (403, 404)
    assert answer["error"]["code"] in ("insufficient_scope", "unknown_url")


def test_no_answer_opens_itself_to_other_origins(keyed: Running) -> None:
    port = int(keyed.url.rpartition(":")[2])
    for line in ("OPTIONS /v1/chat/completions", "GET /v1/models"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                f"{line} HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://evil.example\r\n"
                f"authorization: Bearer {KEYS['admin']}\r\naccess-control-request-method: POST\r\n"
                "connection: close\r\n\r\n".encode()
            )
            got = b""
            while piece := connection.recv(65536):
                got += piece
        assert got.startswith(b"HTTP/1.1 403")
        assert b"access-control" not in got.lower()
