"""An Ollama and an OpenAI for programs of the SDK: each on a port of its own, each saying who it is."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

JSON = (b"content-type", b"application/json")


@dataclass
class Server:
    """`ollama` speaks /api/chat alone (no /api/ps, no /api/show), the other one /v1/chat/completions.

    Answers begin with the model's name. `status` other than 200 fails all calls, `hangs` leaves them open.
    """

    ollama: bool
    status: int = 200
    hangs: bool = False
    streams: bool = True
    echoes_key: bool = False
    port: int = 0
    asked: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    was_asked: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}" + ("" if self.ollama else "/v1")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw, more = b"", True
        while more:
            message = await receive()
            raw += message.get("body", b"")
            more = message.get("more_body", False)
        path = scope["path"]
        if path != ("/api/chat" if self.ollama else "/v1/chat/completions"):
            self.strange.append(path)
            await self._whole(send, 404, {"error": "not found"})
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = json.loads(raw)
        self.asked.append(body["model"])
        self.keys.append(headers.get("authorization", ""))
        self.bodies.append(body)
        self.was_asked.set()
        if self.hangs:
            await receive()
        elif self.status != 200:
            said = f"It broke; {self.keys[-1]}" if self.echoes_key else "It broke"
            await self._whole(send, self.status, {"error": {"message": said}})
        elif self.ollama and body.get("stream", True):
            await self._lines(send, body)
        elif self.ollama:
            answer = {"role": "assistant", "content": f"{body['model']} says Paris."}
            counted = {"prompt_eval_count": 5, "eval_count": 4}
            await self._whole(send, 200, {"message": answer, "done": True, "done_reason": "stop", **counted})
        elif body.get("stream") and self.streams:
            await self._events(send, body)
        else:
            answer = {"role": "assistant", "content": f"{body['model']} says Paris."}
            usage = {"prompt_tokens": 7, "completion_tokens": 3}
            await self._whole(send, 200, {"choices": [{"index": 0, "message": answer}], "usage": usage})

    async def _events(self, send: Any, body: dict[str, Any]) -> None:
        await self._head(send, (b"content-type", b"text/event-stream"))
        for word in (body["model"], " says", " Paris."):
            chunk = {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            await self._piece(send, b"data: " + json.dumps(chunk).encode() + b"\n\n")
        usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}
        await self._piece(send, b"data: " + json.dumps(usage).encode() + b"\n\ndata: [DONE]\n\n", last=True)

    async def _lines(self, send: Any, body: dict[str, Any]) -> None:
        await self._head(send, (b"content-type", b"application/x-ndjson"))
        for word in (body["model"], " says", " Paris."):
            line = {"model": body["model"], "message": {"role": "assistant", "content": word}, "done": False}
            await self._piece(send, json.dumps(line).encode() + b"\n")
        end = {
            "model": body["model"],
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 5,
            "eval_count": 4,
        }
        await self._piece(send, json.dumps(end).encode() + b"\n", last=True)

    async def _whole(self, send: Any, status: int, said: dict[str, Any]) -> None:
        await self._head(send, JSON, status)
        await self._piece(send, json.dumps(said).encode(), last=True)

    async def _head(self, send: Any, kind: tuple[bytes, bytes], status: int = 200) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [kind]})

    async def _piece(self, send: Any, piece: bytes, *, last: bool = False) -> None:
        await send({"type": "http.response.body", "body": piece, "more_body": not last})


@contextmanager
def served(server: Server, port: int = 0) -> Iterator[Server]:
    """Listen on a free port, or on `port`; raises OSError where that is taken. Ends for good: calls break."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    listener.listen()
    server.port = listener.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(server, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        running.should_exit = running.force_exit = True
        thread.join(10)
        listener.close()
