"""The bad network does what it is told, the same in every run, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.upstreams.chaos import Chaos, Faults

ANSWER = bytes(range(256)) * 40


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readline():
            writer.write(ANSWER)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def through(faults: Faults, use: Callable[[Chaos], Awaitable[None]], *, seed: int = 0) -> None:
    async def main() -> None:
        server = await asyncio.start_server(answering, "127.0.0.1", 0)
        before = asyncio.all_tasks()
        port = server.sockets[0].getsockname()[1]
        async with Chaos("127.0.0.1", port, faults, seed=seed) as chaos, asyncio.timeout(20):
            await use(chaos)
        assert chaos.open_connections == 0
        server.close()
        await until(lambda: asyncio.all_tasks() <= before)

    asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


async def ask(chaos: Chaos, most: int = len(ANSWER)) -> tuple[bytes, str]:
    """What came back of one answer, and how it ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", chaos.port)
    writer.write(b"?\n")
    found = b""
    try:
        while len(found) < most:
            piece = await reader.read(65_536)
            if not piece:
                return found, "end"
            found += piece
    except ConnectionResetError:
        return found, "reset"
    finally:
        writer.close()
    return found, "whole"


def test_without_faults_nothing_happens_to_an_answer() -> None:
    async def use(chaos: Chaos) -> None:
        assert await ask(chaos) == (ANSWER, "whole")

    through(Faults(), use)


@pytest.mark.parametrize("cut", [0, 1, 700])
@pytest.mark.parametrize(
    ("ending", "seen"), [("reset", "reset"), ("close", "end"), ("half-close", "end")]
)  # fmt: skip
def test_an_answer_is_cut_at_the_byte(cut: int, ending: str, seen: str) -> None:
    async def use(chaos: Chaos) -> None:
        assert await ask(chaos) == (ANSWER[:cut], seen)

    through(Faults(cut_after=cut, ending=ending), use)  # type: ignore[arg-type]  # one of three literals


def test_silence_lasts_until_the_client_hangs_up() -> None:
    async def use(chaos: Chaos) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", chaos.port)
        writer.write(b"?\n")
        assert await reader.readexactly(10) == ANSWER[:10]
        assert chaos.open_connections == 1
        writer.close()
        await until(lambda: chaos.open_connections == 0)

    through(Faults(cut_after=10, ending="silence"), use)


def test_refusing_and_accepting_again_at_the_same_port() -> None:
    async def use(chaos: Chaos) -> None:
        port = chaos.port
        await chaos.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await chaos.accept()
        assert chaos.port == port
        assert await ask(chaos) == (ANSWER, "whole")

    through(Faults(), use)


def test_hanging_up_resets_what_stands_and_takes_what_comes() -> None:
    async def use(chaos: Chaos) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", chaos.port)
        writer.write(b"?\n")
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        await chaos.hang_up()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        assert await ask(chaos) == (ANSWER, "whole")

    through(Faults(), use)


def test_slow_bytes_come_one_by_one() -> None:
    async def use(chaos: Chaos) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", chaos.port)
        writer.write(b"?\n")
        assert await reader.read(65_536) == ANSWER[:1]
        writer.close()

    through(Faults(bytes_per_s=2.0), use)


@given(st.integers(0, 2**32))
def test_the_same_seed_has_the_same_fate(seed: int) -> None:
    fates: list[list[tuple[bytes, str]]] = []

    async def use(chaos: Chaos) -> None:
        fates.append([await ask(chaos, most=1) for _ in range(6)])

    for _ in range(2):
        through(Faults(loss=0.5), use, seed=seed)
    assert [how for _, how in fates[0]] == [how for _, how in fates[1]]


def test_garbage_spoils_its_share_and_keeps_the_length() -> None:
    async def use(chaos: Chaos) -> None:
        found, how = await ask(chaos)
        assert (len(found), how) == (len(ANSWER), "whole")
        spoiled = sum(a != b for a, b in zip(found, ANSWER, strict=True)) / len(ANSWER)
        assert 0.15 < spoiled < 0.25

    through(Faults(garbage=0.2), use, seed=3)
