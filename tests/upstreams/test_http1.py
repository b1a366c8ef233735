"""Our own HTTP client, against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme

from edgewise.domain.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.transports import transport_for
from edgewise.upstreams.transports.http1 import Http1
from edgewise.upstreams.transports.reqwest import Reqwest

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BODY = b'{"a":1}'
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n" + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ndata\r\n3\r\n: x\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\n" + BODY


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


class Endpoint:
    """A server that answers each request of each connection with the next of its scripts."""

    def __init__(self, *scripts: bytes | None, keep: bool = True, pause_s: float = 0.0) -> None:
        self.scripts, self.keep, self.pause_s = list(scripts), keep, pause_s
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked, self.hung_up = asyncio.Event(), asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await read_request(reader))
                self.asked.set()
                script = self.scripts.pop(0)
                if script is None:
                    await reader.read()
                    return
                writer.write(script)
                await writer.drain()
                if not self.keep:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            self.hung_up.set()
            writer.close()


def against(
    endpoint: Endpoint,
    use: Callable[[Http1], Awaitable[None]],
    *,
    timeout_s: float = 5.0,
    most_bytes: int = 1_000_000,
    tls: ssl.SSLContext | None = None,
) -> None:
    async def main() -> None:
        server = await asyncio.start_server(endpoint, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scheme = "https" if tls else "http"
        base = f"{scheme}://127.0.0.1:{port}/v1"
        client = Http1("tiny", base, {"x-test": "yes"}, timeout_s=timeout_s, most_bytes=most_bytes)
        try:
            await use(client)
        finally:
            await client.aclose()
            server.close()

    asyncio.run(main())


@pytest.mark.parametrize(("script", "expected"), [(PLAIN, BODY), (CHUNKED, b"data: x"), (UNTIL_CLOSE, BODY)])
def test_bodies(script: bytes, expected: bytes) -> None:
    endpoint = Endpoint(script, keep=script is not UNTIL_CLOSE)

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=False)
        assert (reply.status, reply.body) == (200, expected)

    against(endpoint, use)
    assert endpoint.requests[0].startswith(b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nx-test: yes\r\n" in endpoint.requests[0]


def test_connections_are_kept() -> None:
    endpoint = Endpoint(PLAIN, CHUNKED, PLAIN)

    async def use(client: Http1) -> None:
        for _ in range(3):
            assert (await client.post("/chat", b"{}", stream=False)).status == 200

    against(endpoint, use)
    assert endpoint.connections == 1


def test_a_kept_connection_that_died_is_tried_again_once() -> None:
    endpoint = Endpoint(PLAIN, PLAIN, keep=False)

    async def use(client: Http1) -> None:
        await client.post("/chat", b"{}", stream=False)
        client._idle[0]._reusable = True  # as if the news of its end had not come yet
        assert (await client.post("/chat", b"{}", stream=False)).body == BODY

    against(endpoint, use)
    assert endpoint.connections == 2


@pytest.mark.parametrize("scripts", [(PLAIN + CHUNKED, PLAIN), (CHUNKED + PLAIN, PLAIN)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_second_answer_to_one_request_reaches_nobody(scripts: tuple[bytes, ...], stream: bool) -> None:
    endpoint = Endpoint(*scripts)
    expected = BODY if scripts[0].startswith(PLAIN) else b"data: x"

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=stream)
        body = reply.body if reply.pieces is None else b"".join([piece async for piece in reply.pieces])
        assert body == expected
        assert (await client.post("/chat", b"{}", stream=False)).body == BODY

    against(endpoint, use)
    assert endpoint.connections == 2


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_an_end_is_cut_off(stream: bool) -> None:
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    endpoint = Endpoint(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + 5000 * chunk, None)

    async def use(client: Http1) -> None:
        with pytest.raises(UpstreamError, match=r"longer than 10,000 bytes"):
            reply = await client.post("/chat", b"{}", stream=stream)
            if reply.pieces is not None:
                async for _ in reply.pieces:
                    pass
        async with asyncio.timeout(5):
            await endpoint.hung_up.wait()

    against(endpoint, use, most_bytes=10_000)


def test_a_stream_comes_in_pieces_and_keeps_its_connection() -> None:
    endpoint = Endpoint(CHUNKED, PLAIN)

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=True)
        assert reply.pieces is not None
        assert b"".join([piece async for piece in reply.pieces]) == b"data: x"
        await client.post("/chat", b"{}", stream=False)

    against(endpoint, use)
    assert endpoint.connections == 1


def test_a_stream_that_nobody_reads_to_its_last_byte_keeps_its_connection_if_that_has_come() -> None:
    endpoint = Endpoint(CHUNKED, PLAIN)

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=True)
        assert reply.pieces is not None
        assert await anext(reply.pieces) == b"data: x"
        await reply.pieces.aclose()
        assert (await client.post("/chat", b"{}", stream=False)).body == BODY

    against(endpoint, use)
    assert endpoint.connections == 1


def test_a_refused_stream_has_a_body() -> None:
    endpoint = Endpoint(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\ncontent-length: 2\r\n\r\nno")

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=True)
        assert (reply.status, reply.body, reply.retry_after, reply.pieces) == (429, b"no", "7", None)

    against(endpoint, use)


@pytest.mark.parametrize(
    "script",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort",
     b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n99\r\nshort", b"GARBAGE\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\n\r\n"],
    ids=["nothing", "cut head", "cut body", "cut chunk", "garbage", "endless headers"],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_broken_answers(script: bytes, stream: bool) -> None:
    async def use(client: Http1) -> None:
        with pytest.raises(UpstreamUnreachable, match="tiny"):
            reply = await client.post("/chat", b"{}", stream=stream)
            if reply.pieces is not None:
                async for _ in reply.pieces:
                    pass

    against(Endpoint(script, keep=False), use)


@pytest.mark.parametrize("script", [None, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort"])
def test_silence_ends(script: bytes | None) -> None:
    endpoint = Endpoint(*([script] if script else []), None)
    if script is None:
        endpoint.scripts = [None]

    async def use(client: Http1) -> None:
        with pytest.raises(UpstreamTimeout, match=r"sent nothing for 0\.2 s"):
            await client.post("/chat", b"{}", stream=False)

    against(endpoint, use, timeout_s=0.2)


@pytest.mark.parametrize("stream", [False, True])
def test_cancelling_hangs_up(stream: bool) -> None:
    endpoint = Endpoint(None)

    async def use(client: Http1) -> None:
        call = asyncio.create_task(client.post("/chat", b"{}", stream=stream))
        await endpoint.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(1):
            await endpoint.hung_up.wait()

    against(endpoint, use)


def test_closing_a_stream_hangs_up() -> None:
    endpoint = Endpoint(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ndata\r\n", None)

    async def use(client: Http1) -> None:
        reply = await client.post("/chat", b"{}", stream=True)
        assert reply.pieces is not None
        assert await anext(reply.pieces) == b"data"
        await reply.pieces.aclose()
        async with asyncio.timeout(1):
            await endpoint.hung_up.wait()

    against(endpoint, use)


def test_nobody_listens() -> None:
    async def main() -> None:
        with pytest.raises(UpstreamUnreachable, match="no connection"):
            await Http1("tiny", "http://127.0.0.1:9/v1", {}, timeout_s=1).post("/chat", b"{}", stream=False)

    asyncio.run(main())


@pytest.mark.parametrize("trusted", [False, True])
def test_tls(trusted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    server, mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    if trusted:
        authority.configure_trust(mine)
    monkeypatch.setattr("edgewise.upstreams.transports.http1._tls", lambda: mine)

    async def use(client: Http1) -> None:
        if trusted:
            assert (await client.post("/chat", b"{}", stream=False)).body == BODY
        else:
            with pytest.raises(UpstreamError, match="certificate"):
                await client.post("/chat", b"{}", stream=False)

    against(Endpoint(PLAIN), use, tls=server)


def test_a_proxy_is_pyreqwests_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    def kind(url: str) -> type:
        return type(transport_for("tiny", url, {}, timeout_s=1.0))

    assert kind("https://api.example/v1") is Reqwest
    assert kind("https://inside.example/v1") is Http1
    assert kind("http://127.0.0.1:1/v1") is Http1
