"""A connection's timers: who asks or takes nothing for long enough is hung up on, and nobody else."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from edgewise.gateway.connection import Connection

PATIENCE_S = 75


class Clock:
    """A loop that only keeps time: `pass_` lets some go by and rings what is due."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(timer := Timer(self, self.now + seconds, call))
        return timer

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        for timer in [t for t in self.timers if t.due <= self.now]:
            timer.cancel()
            timer.call()


class Timer:
    def __init__(self, clock: Clock, due: float, call: Callable[[], None]) -> None:
        self.clock, self.due, self.call = clock, due, call

    def cancel(self) -> None:
        self.clock.timers.remove(self)


class Wire:
    """A transport that can only be hung up; `untaken` bytes wait in it for the client."""

    def __init__(self) -> None:
        self.closed = self.aborted = False
        self.untaken = 0

    def get_extra_info(self, _name: str) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def abort(self) -> None:
        self.closed = self.aborted = True

    def close(self) -> None:
        self.closed = True


async def unasked(_scope: object, _receive: object, _send: object) -> None:
    """The application, which no request reaches here."""
    raise AssertionError


@pytest.fixture
def talk() -> tuple[Any, Clock, Wire]:
    """A connection over which one answer has just gone."""
    config = uvicorn.Config(
        unasked, lifespan="off", ws="none", timeout_keep_alive=PATIENCE_S, log_config=None
    )
    config.load()
    clock, wire = Clock(), Wire()
    connection: Any = Connection(config, ServerState(), {}, _loop=clock)
    connection.connection_made(wire)
    connection.data_received(b"GET / HTTP/1.1\r\nhost")  # half a request: the timer of the headers is another
    connection._stop_timer()
    connection.on_response_complete()
    return connection, clock, wire


def test_who_asks_nothing_is_hung_up_on(talk: tuple[Any, Clock, Wire]) -> None:
    _, clock, wire = talk
    clock.pass_(PATIENCE_S - 1)
    assert not wire.closed
    clock.pass_(1)
    assert wire.closed


def test_each_answer_begins_the_wait_anew_with_one_timer(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, wire = talk
    for _ in range(5):
        clock.pass_(PATIENCE_S - 15)
        connection.data_received(b":")
        connection._stop_timer()
        connection.on_response_complete()
        assert len(clock.timers) == 1
    clock.pass_(PATIENCE_S - 1)
    assert not wire.closed
    clock.pass_(1)
    assert wire.closed


def test_a_long_answer_is_not_idleness(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, wire = talk
    connection.data_received(b":")
    connection._stop_timer()
    clock.pass_(10 * PATIENCE_S)
    assert not wire.closed
    connection.on_response_complete()
    clock.pass_(PATIENCE_S)
    assert wire.closed


def test_a_lost_connection_leaves_no_timer(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, _ = talk
    connection.connection_lost(ConnectionResetError())
    assert clock.timers == []


def test_a_pipelined_request_is_not_idleness(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, wire = talk
    connection.data_received(b":")
    connection._stop_timer()
    connection._start_asgi_task = lambda *_: None
    connection.pipeline.append((None, None))
    connection.on_response_complete()
    clock.pass_(10 * PATIENCE_S)
    assert not wire.closed


def test_who_takes_nothing_of_an_answer_is_cut_off(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, wire = talk
    wire.untaken = 100_000
    connection.pause_writing()
    clock.pass_(connection.write_timeout_s)
    assert wire.aborted


def test_who_takes_little_of_an_answer_is_not(talk: tuple[Any, Clock, Wire]) -> None:
    connection, clock, wire = talk
    connection._idle_since = None
    wire.untaken = 100_000
    connection.pause_writing()
    for _ in range(5):
        wire.untaken -= 10_000
        clock.pass_(connection.write_timeout_s)
    assert not wire.aborted
    connection.resume_writing()
    clock.pass_(10 * connection.write_timeout_s)
    assert not wire.aborted


def test_a_connection_that_is_closed_does_not_wait_for_ever_for_its_client(
    talk: tuple[Any, Clock, Wire],
) -> None:
    _, clock, wire = talk
    wire.untaken = 30_000  # less than would pause anything
    clock.pass_(PATIENCE_S)
    assert wire.closed
    assert not wire.aborted
    clock.pass_(PATIENCE_S)
    assert wire.aborted


def test_a_connection_that_has_ended_needs_no_garbage_collector() -> None:
    """Or what was open for long, and so outlived its early rounds, would pile up."""

    async def answering(scope: Any, _receive: object, send: Any) -> None:
        seen.append(weakref.ref(scope["edgewise.connection"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def talked() -> None:
        config = uvicorn.Config(answering, lifespan="off", ws="none", log_config=None)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(config, state, {}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            while state.connections:  # noqa: ASYNC110 - uvicorn's own set, which wakes nobody
                await asyncio.sleep(0.001)

    seen: list[weakref.ref[Any]] = []
    gc.disable()
    try:
        asyncio.run(talked())
        assert [one() for one in seen] == [None]
    finally:
        gc.enable()
