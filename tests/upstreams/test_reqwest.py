"""The client for those behind a proxy, against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edgewise.domain.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.chaos import Chaos, Faults
from edgewise.upstreams.transports.reqwest import Reqwest

BODY = b'{"a":1}' * 100
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 700\r\n\r\n" + BODY
LIMITED = b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 700\r\n\r\n" + BODY


def against(answer: bytes, use: Callable[[Reqwest], Awaitable[None]], faults: Faults | None = None) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Chaos("127.0.0.1", port, faults or Faults()) as chaos:
            client = Reqwest(
                "tiny", f"http://127.0.0.1:{chaos.port}/v1", {}, timeout_s=0.5, most_bytes=10_000
            )
            try:
                await use(client)
            finally:
                await client.aclose()
        server.close()

    asyncio.run(main())


async def asked(client: Reqwest, *, stream: bool) -> bytes:
    reply = await client.post("/chat", b"{}", stream=stream)
    return reply.body if reply.pieces is None else b"".join([piece async for piece in reply.pieces])


@pytest.mark.parametrize("stream", [False, True])
def test_bodies(stream: bool) -> None:
    async def use(client: Reqwest) -> None:
        for _ in range(2):
            assert await asked(client, stream=stream) == BODY

    against(PLAIN, use)


@pytest.mark.parametrize("stream", [False, True])
def test_refusals(stream: bool) -> None:
    async def use(client: Reqwest) -> None:
        reply = await client.post("/chat", b"{}", stream=stream)
        assert (reply.status, reply.body, reply.retry_after, reply.pieces) == (429, BODY, "7", None)

    against(LIMITED, use)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_an_end_is_cut_off(stream: bool) -> None:
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"

    async def use(client: Reqwest) -> None:
        with pytest.raises(UpstreamError, match=r"longer than 10,000 bytes"):
            await asked(client, stream=stream)

    against(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + 5000 * chunk, use)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("faults", "error"),
    [(Faults(cut_after=0), UpstreamUnreachable), (Faults(cut_after=100), UpstreamUnreachable),
     (Faults(cut_after=100, ending="half-close"), UpstreamUnreachable),
     (Faults(cut_after=0, ending="silence"), UpstreamTimeout),
     (Faults(cut_after=100, ending="silence"), UpstreamTimeout)],
)  # fmt: skip
def test_a_bad_network(faults: Faults, error: type[UpstreamError], stream: bool) -> None:
    async def use(client: Reqwest) -> None:
        with pytest.raises(error, match="tiny"):
            await asked(client, stream=stream)

    against(PLAIN, use, faults)
