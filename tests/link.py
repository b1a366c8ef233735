"""A way across the network that can be taken away and given back: a TCP proxy on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress

BACKLOG_FILLERS = 8


class Link:
    """Forwards to `target_port`, until it is `cut` (refuses) or goes `silent` (nothing ever answers)."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._dark: list[socket.socket] = []
        self.port = 0

    def open(self) -> None:
        """Begin to forward, on the same port as before."""
        self._clear()
        self._run(self._listen)

    def cut(self) -> None:
        """Break every connection; new ones are refused."""
        self._clear()
        self._run(self._close)

    def silent(self) -> None:
        """Break every connection; new ones are neither taken nor refused, as where packets get lost."""
        self.cut()
        hole = socket.socket()
        hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hole.bind(("127.0.0.1", self.port))
        hole.listen(0)
        self._dark.append(hole)
        for _ in range(BACKLOG_FILLERS):  # once its queue is full, the system drops what comes
            filler = socket.socket()
            filler.settimeout(0.0)
            filler.connect_ex(("127.0.0.1", self.port))
            self._dark.append(filler)

    def start(self) -> None:
        self._thread.start()
        self.open()

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        asyncio.run_coroutine_threadsafe(step(), self._loop).result(10)

    def _clear(self) -> None:
        while self._dark:
            self._dark.pop().close()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers |= {writer, back}
            try:
                await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
            finally:
                self._writers -= {writer, back}
                for end in (writer, back):
                    end.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while found := await reader.read(65_536):
                writer.write(found)
                await writer.drain()
        with suppress(OSError):
            writer.close()


@contextmanager
def link_to(port: int) -> Iterator[Link]:
    """A link to that port, open."""
    link = Link(port)
    link.start()
    try:
        yield link
    finally:
        link.stop()
