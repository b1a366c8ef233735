"""Small HTTP servers on free loopback ports, for what asks other machines' endpoints."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Endpoint:
    """What listens, and the path and headers of every request so far."""

    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def endpoint(answer: Callable[[str, dict[str, str]], Answer]) -> Iterator[Endpoint]:
    """A server that answers each GET with what `answer(path, headers)` says; header names are lower case."""
    seen = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.asked.append((self.path, headers))
            status, more, body = answer(self.path, headers)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def models(*names: str, status: int = 200) -> Callable[[str, dict[str, str]], Answer]:
    """An answer like that of every OpenAI-compatible server."""
    body = json.dumps(
        {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}
    ).encode()
    return lambda path, _: (
        (status, {"content-type": "application/json"}, body) if path == "/v1/models" else NOT_FOUND
    )


NOT_FOUND: Answer = (404, {}, b"nothing here")
