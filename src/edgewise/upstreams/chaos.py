"""A bad network in a box: a TCP proxy that delays, loses, cuts, trickles and spoils what comes back.

Shipped, because users test too. Put it between Edgewise and an endpoint, in the loop of the test:

    async with Chaos("127.0.0.1", 11434, Faults(cut_after=400), seed=7) as chaos:
        settings = f'url = "http://127.0.0.1:{chaos.port}/v1"'

Everything that is drawn comes from the seed and the number of the connection, so that the n-th connection
fares alike in every run.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

Ending = Literal["reset", "close", "half-close", "silence"]
PIECE = 65_536
TICKS_PER_S = 20  # how often a slow connection sends, where its rate allows for that
NO_LINGERING = struct.pack("ii", 1, 0)  # makes a close a reset (socket(7), SO_LINGER)


@dataclass(frozen=True, slots=True)
class Faults:
    """What befalls a connection; the default is nothing.

    `delay_s` and `jitter_s` are mean and standard deviation of a pause before each piece of an answer, `loss`
    the share of connections that are reset once they were asked, `garbage` the share of bytes that arrive as
    others. `bytes_per_s` of 0 is as fast as it goes. After `cut_after` bytes the answer ends by `ending`: a
    reset, a close of both directions, of only the one from the endpoint, or silence.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    garbage: float = 0.0
    bytes_per_s: float = 0.0
    cut_after: int | None = None
    ending: Ending = "reset"


NONE = Faults()


class Chaos:
    """A proxy on a free loopback `port`, to `target_port` of `target`; open inside `async with`.

    `faults` may be replaced at any time, and hold from the next piece of each connection on. `connections`
    counts those that were ever made; `open_connections` are those that stand.
    """

    def __init__(self, target: str, target_port: int, faults: Faults = NONE, *, seed: int = 0) -> None:
        self.target, self.target_port, self._seed = target, target_port, seed
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.faults = faults
        self.port = 0
        self.connections = 0

    @property
    def open_connections(self) -> int:
        """How many connections stand now."""
        return len(self._tasks)

    async def accept(self) -> None:
        """Take connections; after `refuse` on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port)
            self.port = int(self._server.sockets[0].getsockname()[1])

    async def refuse(self) -> None:
        """Break every connection; the system refuses new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.hang_up()

    async def hang_up(self) -> None:
        """Reset every connection that stands; new ones are taken as before."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.accept()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hang up everywhere."""
        await self.refuse()

    async def _meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # never: a server runs this as a task
            return
        self._tasks.add(task)
        dice = Random(f"{self._seed}:{self.connections}")  # noqa: S311 - a simulation, not a secret
        self.connections += 1
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._pass_on(reader, writer, dice)
        finally:
            _reset(writer)
            self._tasks.discard(task)

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter, dice: Random) -> None:
        if dice.random() < self.faults.loss:
            await reader.read(1)
            return
        there, back = await asyncio.open_connection(self.target, self.target_port)
        asking = asyncio.create_task(_copy(reader, back))
        answering = asyncio.create_task(self._spoil(there, writer, dice))
        try:
            await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
        finally:  # nothing is waited for before all is ended: this may be cancelled a second time
            back.transport.abort()
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)

    async def _spoil(self, there: StreamReader, writer: StreamWriter, dice: Random) -> None:
        """The answers on their way back, with what befalls them."""
        sent = 0
        while piece := await there.read(PIECE):
            faults = self.faults
            pause_s = dice.gauss(faults.delay_s, faults.jitter_s) if faults.jitter_s else faults.delay_s
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            if faults.garbage:
                piece = bytes(dice.randrange(256) if dice.random() < faults.garbage else b for b in piece)
            cut = faults.cut_after
            room = len(piece) + 1 if cut is None else cut - sent
            await _send(writer, piece[: max(0, room)], faults.bytes_per_s)
            sent += len(piece)
            if room <= len(piece):
                await _end(writer, faults.ending)
                return
        await _end(writer, "close")


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


async def _send(writer: StreamWriter, piece: bytes, bytes_per_s: float) -> None:
    step = max(1, int(bytes_per_s / TICKS_PER_S)) if bytes_per_s else len(piece) or 1
    for at in range(0, len(piece), step):
        writer.write(piece[at : at + step])
        await writer.drain()
        if bytes_per_s:
            await asyncio.sleep(step / bytes_per_s)


async def _end(writer: StreamWriter, ending: Ending) -> None:
    """End an answer. A reset is what the connection meets anyway once this is over."""
    if ending == "close":
        writer.close()
    if ending == "half-close":
        writer.write_eof()
    if ending in ("half-close", "silence"):
        await asyncio.Event().wait()  # until the other side hangs up


def _reset(writer: StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
    writer.transport.abort()
