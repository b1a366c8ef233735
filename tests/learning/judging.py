"""A judge behind real HTTP whose replies a test writes, and what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.servers import Call, Mock, Send, mock_upstream

from edgewise.domain.candidates import Candidate, Capabilities, Price
from edgewise.learning.judge import Judge
from edgewise.upstreams.openai import OpenAICompatible

CHEAP = Price(1.0, 2.0)
GOOD = '{"rationale": "It is right.", "score": 80}'
T = TypeVar("T")
Reply = str | tuple[int, str] | float  # words, a status with a body, or seconds of silence


def completion(text: str, tokens: tuple[int, int] = (100, 20)) -> str:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage})


@dataclass
class Oracle:
    """Answers each question by `reply` (what is asked, the how-manieth time), and counts."""

    mock: Mock
    reply: Callable[[dict[str, Any], int], Reply]
    asked: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    _now: int = 0

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [call.json for call in self.mock.calls]

    async def answer(self, call: Call, send: Send) -> None:
        body = call.json
        what = quoted(body)
        self.asked[what] += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            said = self.reply(body, self.asked[what])
            status, text = said if isinstance(said, tuple) else (200, "")
            if isinstance(said, str):
                text = completion(said)
            if isinstance(said, float):
                await asyncio.sleep(said)
                text = completion(GOOD)
            head = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": text.encode()})
        finally:
            self._now -= 1


def quoted(body: dict[str, Any]) -> str:
    """What a judge was asked, without the marks that differ from call to call."""
    lines = body["messages"][-1]["content"].splitlines()
    return "\n".join(line for line in lines[1:] if not line.startswith("--- "))


@contextmanager
def oracle(reply: Callable[[dict[str, Any], int], Reply]) -> Iterator[Oracle]:
    with mock_upstream() as mock:
        found = Oracle(mock, reply)
        mock._answer = found.answer  # type: ignore[method-assign]
        yield found


_open: list[OpenAICompatible] = []


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, and close the connections that it opened in its loop."""

    async def closing() -> T:
        try:
            return await main
        finally:
            for upstream in _open:
                await upstream.aclose()

    return asyncio.run(closing())


async def _at_once(_: float) -> None:
    """No test waits for a clock."""


def judge_at(
    found: Oracle, name: str = "referee", *, schema: bool = True, timeout_s: float = 20.0, **more: Any
) -> Judge:
    """A judge that asks this oracle."""
    price: Price | None = more.pop("price", CHEAP)
    candidate = Candidate(
        name,
        "cloud",
        more.pop("trust", "device"),
        model=f"{name}-1",
        endpoint=found.mock.url,
        price=price,
        capabilities=Capabilities(json_schema=schema),
    )
    upstream = OpenAICompatible(name, f"{name}-1", found.mock.url)
    _open.append(upstream)
    return Judge(candidate, upstream, timeout_s=timeout_s, pause=_at_once, **more)
