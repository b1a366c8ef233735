"""OpenAI-compatible endpoints that say what a test wants, for the adapters of other people's frameworks."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from edgewise.settings import Settings
from edgewise.settings.load import from_tree

Body = dict[str, Any]
Said = str | int | Body  # words, a status to fail with, or a message as OpenAI writes it


@dataclass
class Talker:
    """An endpoint of its own. `say` makes its answer of a request's body.

    A stream of one that `breaks` ends in the middle, without a word of why.
    """

    name: str
    say: Callable[[Body], Said]
    breaks: bool = False
    pause_s: float = 0.0
    port: int = 0
    asked: list[Body] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __call__(self, scope: Body, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw, more = b"", True
        while more:
            message = await receive()
            raw += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["path"] != "/v1/chat/completions":
            await _whole(send, 404, {"error": {"message": "not here", "type": "x", "code": None}})
            return
        body = json.loads(raw)
        self.asked.append(body)
        said = self.say(body)
        if isinstance(said, int):
            wrong = {"message": f"{self.name} says no", "type": "refused", "param": None, "code": "no"}
            await _whole(send, said, {"error": wrong})
            return
        words: Body = {"content": said} if isinstance(said, str) else said
        if body.get("stream"):
            watch = asyncio.create_task(self._watch(receive))
            try:
                await self._stream(send, words)
            finally:
                watch.cancel()
        else:
            await asyncio.sleep(self.pause_s)
            await _whole(send, 200, self._completion(words))

    def _completion(self, said: Body) -> Body:
        choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": _why(said)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": USAGE}

    async def _stream(self, send: Any, said: Body) -> None:
        kind = (b"content-type", b"text/event-stream")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        head = self._head("chat.completion.chunk")
        for delta in _deltas(said):
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            await self._event(send, {**head, "choices": [choice]})
            await asyncio.sleep(self.pause_s)
            if self.breaks and delta.get("content"):
                await send({"type": "http.response.body", "body": b""})
                return
        end = {"index": 0, "delta": {}, "finish_reason": _why(said)}
        await self._event(send, {**head, "choices": [end]})
        await self._event(send, {**head, "choices": [], "usage": USAGE})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    async def _event(self, send: Any, value: Body) -> None:
        data = b"data: " + json.dumps(value).encode() + b"\n\n"
        await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _watch(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.hung_up.set()

    def _head(self, kind: str) -> Body:
        return {
            "id": f"chat-{self.name}-{len(self.asked)}",
            "object": kind,
            "created": 1,
            "model": f"{self.name}-1",
        }


USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def call(name: str, arguments: Body, number: int = 0) -> Body:
    """A message that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "content": None,
        "tool_calls": [{"id": f"call_{name}_{number}", "type": "function", "function": function}],
    }


def last(body: Body) -> Body:
    """The last message of a request."""
    message: Body = body["messages"][-1]
    return message


def _why(said: Body) -> str:
    return "tool_calls" if said.get("tool_calls") else "stop"


def _deltas(said: Body) -> Iterator[Body]:
    """A message in the pieces that a stream brings: words, and arguments cut in two."""
    yield {"role": "assistant", "content": ""}
    for number, word in enumerate((said.get("content") or "").split(" ")):
        if word:
            yield {"content": word if number == 0 else f" {word}"}
    for index, one in enumerate(said.get("tool_calls") or ()):
        function = one["function"]
        half = len(function["arguments"]) // 2
        begun = {"name": function["name"], "arguments": function["arguments"][:half]}
        yield {"tool_calls": [{"index": index, "id": one["id"], "type": "function", "function": begun}]}
        yield {"tool_calls": [{"index": index, "function": {"arguments": function["arguments"][half:]}}]}


async def _whole(send: Any, status: int, value: Body) -> None:
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


@contextmanager
def talking(*talkers: Talker) -> Iterator[None]:
    """The talkers listen, each on a port of its own."""
    with ExitStack() as stack:
        for talker in talkers:
            stack.enter_context(_listening(talker))
        yield


@contextmanager
def _listening(talker: Talker) -> Iterator[None]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    talker.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(talker, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


def candidates(edge: Talker, cloud: Talker) -> list[Body]:
    """The two as the candidates `edge` and `cloud`."""
    return [
        {"id": "edge", "location": "edge", "url": edge.url, "model": "edge-1"},
        {
            "id": "cloud",
            "location": "cloud",
            "url": cloud.url,
            "model": "cloud-1",
            "price": {"input": 1.0, "output": 2.0},
        },
    ]


def settings(edge: Talker, cloud: Talker, **more: Body) -> Settings:
    """A configuration that chooses the edge for what is easy, and never at random."""
    tree = {"policy": {"explore": 0.0}, "candidates": candidates(edge, cloud), **more}
    return from_tree(tree, source="test")
