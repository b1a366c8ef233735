"""An embeddings endpoint on this machine that notes what it was asked, and fails as a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMS = 32


@dataclass
class Embedder:
    """`statuses` are the answers to the next calls, 200 once they are used up."""

    port: int = 0
    dims: int = DIMS
    salt: str = ""
    pause_s: float = 0.0
    statuses: list[int] = field(default_factory=list)
    models: list[str] = field(default_factory=lambda: ["tiny"])
    calls: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def texts(self) -> list[str]:
        """Every text that was asked, in order."""
        return [text for call in self.calls for text in call["input"]]

    def vector(self, text: str) -> list[float]:
        """Each word a direction of its own, so that like texts have like vectors."""
        found = [1e-3] * self.dims
        for word in text.lower().split():
            digest = sha256((self.salt + word).encode("utf-8", "replace")).digest() * (self.dims // 32 + 1)
            found = [value + byte / 128 - 1 for value, byte in zip(found, digest, strict=False)]
        return found


@contextmanager
def embedder(**given: Any) -> Iterator[Embedder]:
    """An endpoint on a free port."""
    endpoint = Embedder(**given)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(200, {"data": [{"id": model} for model in endpoint.models]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                endpoint.calls.append(asked)
                endpoint.keys.append(self.headers.get("authorization"))
                status = endpoint.statuses.pop(0) if endpoint.statuses else 200
                endpoint.at_once += 1
                endpoint.most_at_once = max(endpoint.most_at_once, endpoint.at_once)
            time.sleep(endpoint.pause_s)
            with lock:
                endpoint.at_once -= 1
            if status != 200:
                self._send(status, {"error": {"message": "not like this"}})
                return
            rows = [{"index": i, "embedding": endpoint.vector(t)} for i, t in enumerate(asked["input"])]
            self._send(200, {"data": rows[::-1], "model": asked["model"]})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever asked gave up
                super().handle()

        def log_message(self, *args: Any) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
