"""A labelled fake: answers from a script, in OpenAI's shape. Shipped, because users test too."""

from __future__ import annotations

import asyncio
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from edgewise.domain.requests import Request

CHARACTERS_PER_TOKEN = 4


class Scripted:
    """Answer with a function of the request, or with fixed replies in turn.

    A reply may be an exception, which is raised instead. `tokens_per_s` paces streams; 0 sends at once.
    `asked` holds every request that came in, for tests.
    """

    def __init__(
        self,
        replies: Callable[[Request], str] | Sequence[str | Exception],
        *,
        model: str = "scripted",
        tokens_per_s: float = 0.0,
    ) -> None:
        self._replies, self._model = replies, model
        self._pause_s = 1.0 / tokens_per_s if tokens_per_s > 0 else 0.0
        self.asked: list[Request] = []

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The next reply, plain or as a stream."""
        self.asked.append(request)
        if callable(self._replies):
            reply: str | Exception = self._replies(request)
        else:
            reply = self._replies[(len(self.asked) - 1) % len(self._replies)]
        if isinstance(reply, Exception):
            raise reply
        return self._stream(request, reply) if request.stream else await self._plain(request, reply)

    async def aclose(self) -> None:
        """Nothing to close."""

    async def _plain(self, request: Request, reply: str) -> bytes:
        words = reply.split(" ")
        await asyncio.sleep(self._pause_s * len(words))
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        head = self._envelope(request, "chat.completion")
        return msgspec.json.encode({**head, "choices": [choice], "usage": _usage(request, words)})

    async def _stream(self, request: Request, reply: str) -> AsyncGenerator[bytes, None]:
        head = self._envelope(request, "chat.completion.chunk")
        words = reply.split(" ")
        yield _event(head, {"role": "assistant", "content": ""})
        for number, word in enumerate(words):
            await asyncio.sleep(self._pause_s)
            yield _event(head, {"content": word if number == 0 else " " + word})
        yield _event(head, {}, finish="stop")
        yield _data({**head, "choices": [], "usage": _usage(request, words)})
        yield b"data: [DONE]\n\n"

    def _envelope(self, request: Request, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{request.id}", "object": kind, "created": int(time()), "model": self._model}


def _usage(request: Request, words: list[str]) -> dict[str, int]:
    asked = max(1, len(request.text) // CHARACTERS_PER_TOKEN)
    return {"prompt_tokens": asked, "completion_tokens": len(words), "total_tokens": asked + len(words)}


def _event(head: dict[str, Any], delta: dict[str, str], *, finish: str | None = None) -> bytes:
    return _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
