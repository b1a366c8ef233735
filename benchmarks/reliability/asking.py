"""Clients of a study: a request each, on a connection of its own, and what became of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind = Literal["plain", "stream", "plain cancelled", "stream cancelled"]
PATIENCE_S = 60.0
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as its client saw it: when it began (monotonic), how long it took, and how it ended.

    `status` is 0 where no answer came. `whole` says that the answer had its end: a body, or `[DONE]`.
    """

    at: float
    took_s: float
    status: int
    candidate: str
    whole: bool
    kind: Kind = "plain"

    @property
    def is_answered(self) -> bool:
        """Whether the client has what it asked for."""
        return self.status == 200 and self.whole


async def ask(url: str, kind: Kind = "plain", *, model: str = "auto", after_s: float = 0.0) -> Seen:
    """One chat completion. A cancelled one is hung up on after `after_s`, unless it is over sooner."""
    began = monotonic()
    head, body = b"", b""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(after_s if kind.endswith("cancelled") else PATIENCE_S):
            head, body = await _exchanged(url, kind, model)
    status = int(head[9:12]) if head else 0
    candidate = head.partition(b"x-edgewise-candidate: ")[2].partition(b"\r\n")[0].decode()
    whole = b"[DONE]" in body if "stream" in kind else bool(body)
    return Seen(began, monotonic() - began, status, candidate, whole, kind)


async def _exchanged(url: str, kind: Kind, model: str) -> tuple[bytes, bytes]:
    content = json.dumps(
        {
            "model": model,
            "messages": [{"role": "user", "content": "What stands between Rome and Carthage?"}],
            "stream": "stream" in kind,
        },
        separators=(",", ":"),
    ).encode()
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content)
        )
        head = await reader.readuntil(HEAD_END)
        return head.lower(), await reader.read()
    finally:
        writer.transport.abort()


async def at_rate(per_s: float, seconds: float, one: Callable[[int], asyncio.Task[Seen]]) -> list[Seen]:
    """An open loop: requests begin evenly spaced, whether or not the earlier ones have ended."""
    began, tasks = monotonic(), list[asyncio.Task[Seen]]()
    while (now := monotonic() - began) < seconds:
        while len(tasks) < now * per_s:
            tasks.append(one(len(tasks)))
        await asyncio.sleep(0.001)
    return list(await asyncio.gather(*tasks))


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed; 0 where there is none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0
