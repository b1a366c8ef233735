from __future__ import annotations

import asyncio

import pytest
from benchmarks.load import Round, wrk_counts
from benchmarks.stream_client import Stream

from benchmarks import stream_client

CHUNK = b'ad\r\ndata: {"choices":[{"delta":{"content":" token"}}]}\n\n\r\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def close(self) -> None:
        self.closed = True


def read(monkeypatch: pytest.MonkeyPatch, *pieces: tuple[float, bytes]) -> int | None:
    """What a stream says of bytes that arrive at these times, in seconds after it asked."""
    now = 100.0
    monkeypatch.setattr("benchmarks.stream_client.time.perf_counter", lambda: now)

    async def told() -> int | None:
        nonlocal now
        stream, wire = Stream(), Wire()
        stream.connection_made(wire)
        assert wire.sent.endswith(stream_client.BODY)
        for at, data in pieces:
            now = 100.0 + at
            stream.data_received(data)
        stream.connection_lost(None)
        assert wire.closed
        return await stream.ended

    return asyncio.run(told())


def test_chunks_are_counted_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, (0.0, HEAD), (0.1, CHUNK), (0.2, CHUNK), (0.3, DONE)) == 2


@pytest.mark.parametrize("cut", range(1, len(CHUNK)))
def test_a_chunk_torn_between_two_reads_counts_once(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    pieces = (0.0, HEAD), (0.1, CHUNK[:cut]), (0.1, CHUNK[cut:]), (0.2, CHUNK), (0.9, DONE)
    assert read(monkeypatch, *pieces) == 2


def test_a_stream_without_an_end_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, (0.0, HEAD), (0.1, CHUNK)) is None


def test_an_error_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, (0.1, b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), (0.2, CHUNK), (0.9, DONE)) is None


def test_a_stream_that_was_collected_and_sent_at_the_end_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, (0.0, HEAD), (0.9, CHUNK), (1.0, CHUNK + DONE)) is None


def test_counts_come_from_the_line_of_the_script() -> None:
    printed = 'Running 3s test\nCOUNTS {"requests":12,"failed":0,"broken":1,"seconds":3.0}\n'
    assert wrk_counts(printed) == {"requests": 12, "failed": 0, "broken": 1, "seconds": 3.0}


def test_no_counts_are_an_error() -> None:
    with pytest.raises(ValueError, match="no counts"):
        wrk_counts("unable to connect")


def test_cost_is_per_request() -> None:
    assert Round(served=1000, failed=0, seconds=1.0, cpu_ns=30_000_000).cpu_us_each == 30.0
    assert Round(0, 0, 1.0, 5_000).cpu_us_each == 5.0
