"""The way to each endpoint, on real sockets and a settable clock."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from time import monotonic
from typing import Literal

import pytest

from edgewise.domain.calls import Call
from edgewise.domain.candidates import Candidate
from edgewise.domain.decisions import Attempt, Outcome
from edgewise.domain.errors import UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from edgewise.domain.requests import Request
from edgewise.monitors import Board, SettableClock
from edgewise.monitors.connectivity import Connectivity
from edgewise.monitors.probe import handshake
from edgewise.monitors.work import Work
from edgewise.upstreams.watched import Watched

CLOUD = Candidate("gpt", "cloud", "cloud", endpoint="http://127.0.0.1:9/v1")
INSIDE = Candidate("phi", "edge", "device")
REQUEST = Request("req", "hi", "hi", b"{}")


class Probe:
    """An endpoint that is there or not, and counts who looks."""

    def __init__(self) -> None:
        self.rtt_s: float | None = 0.02
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> float | None:
        self.asked.append((host, port))
        return self.rtt_s


async def passing(connectivity: Connectivity, clock: SettableClock, seconds: float) -> None:
    for _ in range(int(seconds * 2)):
        clock.advance(0.5)
        connectivity.tick()
        for _ in range(4):
            await asyncio.sleep(0)


def state(board: Board) -> str:
    return board.read()["online:gpt"].state


def test_gone_is_seen_within_three_seconds_and_back_within_ten() -> None:
    async def live() -> None:
        clock, probe = SettableClock(), Probe()
        board = Board(clock=clock)
        connectivity = Connectivity([CLOUD, INSIDE], board, clock=clock, probe=probe)
        await passing(connectivity, clock, 1.0)
        assert state(board) == "normal"
        assert board.read()["rtt_s:gpt"].value == pytest.approx(0.02)
        probe.rtt_s = None
        connectivity.report(Call("gpt", None, "unreachable"))
        await passing(connectivity, clock, 1.0)
        assert state(board) == "critical"
        probe.rtt_s = 0.02
        await passing(connectivity, clock, 3.0)
        assert state(board) == "normal"
        assert set(probe.asked) == {("127.0.0.1", 9)}, "only what is configured is ever asked"

    asyncio.run(live())


def test_calls_that_go_well_make_probes_needless() -> None:
    async def live() -> None:
        clock, probe = SettableClock(), Probe()
        connectivity = Connectivity([CLOUD], Board(clock=clock), clock=clock, probe=probe)
        for _ in range(120):
            connectivity.report(Call("gpt", 0.3))
            await passing(connectivity, clock, 1.0)
        assert probe.asked == []

    asyncio.run(live())


def test_a_probe_under_way_has_hung_up_before_the_end() -> None:
    async def live() -> None:
        looking, hung_up = asyncio.Event(), False

        async def slow(host: str, port: int) -> float | None:
            nonlocal hung_up
            del host, port
            try:
                looking.set()
                await asyncio.Event().wait()
            finally:
                for _ in range(5):
                    await asyncio.sleep(0)
                hung_up = True
            return None

        connectivity = Connectivity([CLOUD], Board(clock=SettableClock()), clock=SettableClock(), probe=slow)
        following = asyncio.create_task(connectivity.follow())
        await looking.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert hung_up

    asyncio.run(live())


def test_a_call_in_a_black_hole_is_found_out_within_three_seconds() -> None:
    """Nothing refuses and nothing answers: the request hangs, and the probes do."""

    async def live() -> None:
        clock, probe = SettableClock(), Probe()
        board = Board(clock=clock)
        watched = Watched("gpt", Never(), lambda _: None, clock=clock.elapsed)
        connectivity = Connectivity([CLOUD], board, watched={"gpt": watched}, clock=clock, probe=probe)
        await passing(connectivity, clock, 1.0)
        assert state(board) == "normal"
        probe.rtt_s = None
        asking = asyncio.create_task(watched.ask(REQUEST))
        await passing(connectivity, clock, 3.0)
        assert state(board) == "critical"
        asking.cancel()

    asyncio.run(live())


def test_a_slow_way_is_degraded_with_hysteresis() -> None:
    async def live() -> None:
        clock, probe = SettableClock(), Probe()
        board = Board(clock=clock)
        connectivity = Connectivity([CLOUD], board, clock=clock, probe=probe)
        await passing(connectivity, clock, 2.0)
        probe.rtt_s = 0.8
        await passing(connectivity, clock, 70.0)
        assert state(board) == "constrained"

    asyncio.run(live())


def test_the_second_kind_of_address_is_tried_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` mostly means ::1 first, and Ollama listens on 127.0.0.1 alone."""

    def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        kinds = ((socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port)))
        return [(family, socket.SOCK_STREAM, 6, "", place) for family, place in kinds]

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        assert asyncio.run(handshake("localhost", port)) is not None
    assert asyncio.run(handshake("localhost", port)) is None


def test_a_handshake_is_timed_and_a_closed_port_is_none() -> None:
    async def live() -> None:
        def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        took = await handshake("127.0.0.1", port)
        assert took is not None
        assert 0.0 < took < 0.75
        server.close()
        await server.wait_closed()
        assert await handshake("127.0.0.1", port) is None
        assert await handshake("no such host.invalid", 80) is None

    asyncio.run(live())


class Never:
    """An upstream that takes a call and does not answer."""

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        del request
        await asyncio.Event().wait()
        raise AssertionError

    async def aclose(self) -> None:
        return


class Says:
    """An upstream that does what it is told."""

    def __init__(self, answer: bytes | list[bytes] | Exception) -> None:
        self.answer = answer

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        del request
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else self._pieces(self.answer)

    async def _pieces(self, pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece
        raise UpstreamUnreachable("gone")

    async def aclose(self) -> None:
        return


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (UpstreamTimeout("slow"), "timeout"),
        (UpstreamUnreachable("gone"), "unreachable"),
        (UpstreamRefused("no", status=503, body=b""), "failing"),
        (UpstreamRefused("no", status=429, body=b""), "limited"),
        (UpstreamRefused("no", status=400, body=b""), None),
        (UpstreamRefused("no", status=401, body=b""), None),
    ],
)
def test_every_call_is_told_once_with_its_fault(error: Exception, fault: str | None) -> None:
    calls: list[Call] = []
    watched = Watched("gpt", Says(error), calls.append)
    with pytest.raises(type(error)):
        asyncio.run(watched.ask(REQUEST))
    assert calls == [Call("gpt", None, fault)]  # type: ignore[arg-type]
    assert (watched.in_flight, watched.waiting_since) == (0, None)


def test_a_stream_is_in_flight_until_its_end() -> None:
    async def live() -> None:
        calls: list[Call] = []
        watched = Watched("gpt", Says([b"a", b"b"]), calls.append)
        pieces = await watched.ask(REQUEST)
        assert not isinstance(pieces, bytes)
        assert (watched.in_flight, watched.waiting_since) == (1, None)
        with pytest.raises(UpstreamUnreachable):
            _ = [piece async for piece in pieces]
        assert watched.in_flight == 0
        assert [call.fault for call in calls] == [None, "unreachable"]

    asyncio.run(live())


def test_a_call_that_is_given_up_leaves_nothing_behind() -> None:
    async def live() -> None:
        watched = Watched("gpt", Never(), lambda _: None)
        asking = asyncio.create_task(watched.ask(REQUEST))
        await asyncio.sleep(0)
        assert watched.in_flight == 1
        assert watched.waiting_since is not None
        assert watched.waiting_since <= monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not watched.in_flight
        assert watched.waiting_since is None

    asyncio.run(live())


def test_the_wait_is_what_stands_in_line() -> None:
    board = Board(clock=SettableClock())
    watched = Watched("phi", Never(), lambda _: None)
    work = Work(board, {"phi": watched}, slots={"phi": 2})
    work.tick()
    assert "queue_wait_s:phi" not in board.read(), "nobody knows yet how long an answer takes"
    from tests.outcomes.test_ledger import outcome  # noqa: PLC0415 - one record, made there

    record = outcome(0.0)
    work.observe(record)
    work.tick()
    assert "latency_s:gpt" not in board.read(), "an outcome without an attempt says nothing"


@pytest.mark.parametrize("cloud", ["error", "ok"])
def test_each_answer_of_a_cascade_counts_for_who_gave_it(cloud: Literal["error", "ok"]) -> None:
    board = Board(clock=SettableClock())
    work = Work(board, {})
    calls = (
        Attempt(candidate="phi", status="ok", started_s=0.0, latency_s=0.02),
        Attempt(candidate="gpt", status=cloud, started_s=0.02, latency_s=29.0),
    )
    by = "phi" if cloud == "error" else "gpt"
    work.observe(
        Outcome(decision_id="req", at=0.0, status="ok", candidate=by, latency_s=29.02, attempts=calls)
    )
    work.tick()
    assert board.read()["latency_s:phi"].value == 0.02, "a cloud that hangs makes no edge slow"
    assert ("latency_s:gpt" in board.read()) == (cloud == "ok")


def test_loaded_models_are_told_and_unknown_is_unknown() -> None:
    async def live() -> None:
        board = Board(clock=SettableClock())
        said: dict[str, bool | None] = {"a": True, "b": False, "c": None}

        def asked(name: str) -> bool | None:
            return said[name]

        async def a() -> bool | None:
            return asked("a")

        async def b() -> bool | None:
            return asked("b")

        async def c() -> bool | None:
            return asked("c")

        await Work(board, {}, loaded={"a": a, "b": b, "c": c}).look()
        found = {name: signal.value for name, signal in board.read().items()}
        assert found == {"loaded:a": 1.0, "loaded:b": 0.0, "loaded:c": None}

    asyncio.run(live())
