"""Reads M streamed answers at once and counts their chunks: `python -m benchmarks.stream_client PORT M`.

The streams begin spread over one second, so that their chunks do not arrive in step.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

START_SPREAD_S = 1.0
OK, MARK, DONE = b"HTTP/1.1 200", b'"choices"', b"[DONE]"
SENTENCE = "The delivery that was promised for last week has still not arrived at my address. "
BODY = json.dumps(
    {
        "model": "auto",
        "stream": True,
        "messages": [
            {"role": "system", "content": "You are a careful assistant of a shop that sells bicycles."},
            {"role": "user", "content": SENTENCE * 10},
        ],
    },
    separators=(",", ":"),
).encode()


class Stream(asyncio.Protocol):
    """One request and its answer; `ended` resolves to the chunks read, or to None for a bad answer.

    An answer is bad if it is no 200, if it ends without [DONE], or if its first chunk came when more
    than half of its time was over: then something on the way collected the stream.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._chunks = 0
        self._head, self._tail = b"", b""
        self._asked = self._first = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        transport.write(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        self._asked = time.perf_counter()

    def data_received(self, data: bytes) -> None:
        """Count, and look for the end."""
        if not self._head:
            self._head = data[: len(OK)]
        seen = self._tail + data  # a mark may be torn between two reads
        self._chunks += seen.count(MARK) - self._tail.count(MARK)
        self._tail = seen[-len(MARK) :]
        if self._chunks and not self._first:
            self._first = time.perf_counter()
        if self._head != OK:
            self._end(None)
        elif DONE in seen:
            self._end(None if self._held_back() else self._chunks)

    def connection_lost(self, exc: Exception | None) -> None:
        """An end without [DONE]."""
        del exc
        self._end(None)

    def _held_back(self) -> bool:
        return self._first - self._asked > (time.perf_counter() - self._asked) / 2

    def _end(self, chunks: int | None) -> None:
        if not self.ended.done():
            self.ended.set_result(chunks)
        if self._transport is not None:
            self._transport.close()


async def read_streams(port: int, count: int) -> dict[str, float]:
    """Chunks over all streams, how many streams failed, and the seconds that it took."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()

    async def one(delay: float) -> int | None:
        await asyncio.sleep(delay)
        _, stream = await loop.create_connection(Stream, "127.0.0.1", port)
        return await stream.ended

    ends = await asyncio.gather(*(one(START_SPREAD_S * i / count) for i in range(count)))
    return {
        "chunks": sum(end or 0 for end in ends),
        "failed": sum(end is None for end in ends),
        "seconds": time.perf_counter() - started,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read_streams(int(sys.argv[1]), int(sys.argv[2])))))
