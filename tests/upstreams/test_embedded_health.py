"""A model's process that hangs: alive to the system, found out by asking, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise import assets
from edgewise.upstreams.embedded import EmbeddedRuntime
from edgewise.upstreams.embedded.health import MISSES, answers, hangs


def script(said: list[bool]) -> Callable[[], Awaitable[bool]]:
    left = iter(said)

    async def ask() -> bool:
        return next(left)

    return ask


@given(st.lists(st.booleans(), max_size=30))
def test_only_misses_in_a_row_count(said: list[bool]) -> None:
    pairs = [index for index in range(1, len(said)) if not said[index] and not said[index - 1]]
    looks = iter(range(len(said)))
    found = asyncio.run(hangs(script(said), every_s=0, alive=lambda: next(looks, None) is not None))
    # The last look, after the verdict, asks whether it still lives: a script that ends there has died.
    assert found == bool(pairs and pairs[0] + 1 < len(said))
    assert MISSES == 2


def test_a_process_that_has_died_does_not_hang() -> None:
    assert not asyncio.run(hangs(script([]), every_s=0, alive=lambda: False))


@pytest.mark.parametrize(
    ("said", "well"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Loading\r\n\r\n", False),
        (b"", False),
        (b"x" * 5000, False),
        (None, False),
    ],
    ids=["well", "loading", "nothing", "garbage", "silence"],
)
def test_what_counts_as_an_answer(said: bytes | None, *, well: bool) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        try:
            if said is None:
                await reader.read()  # until the other side has lost its patience
            writer.write(said or b"")
        except ConnectionError:
            return
        finally:
            writer.transport.abort()

    async def main() -> bool:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}/secret/v1"
            return await answers(url, timeout_s=0.2 if said is None else 10)

    assert asyncio.run(main()) is well
    assert asked == [b"GET /secret/health HTTP/1.1\r\n"]


def test_nobody_there_is_no_answer() -> None:
    assert not asyncio.run(answers("http://127.0.0.1:1/v1", timeout_s=5))


def test_a_model_that_hangs_is_killed_and_started_again() -> None:
    """The embedded model's process hangs.

    Injected: `SIGSTOP` to the process.
    Client: the process is killed and another one started; calls that it had end with an error.
    Log: nothing; the runtime is asked without a gateway here.
    """
    model: Path = assets.path_of("smollm2-135m")

    async def live() -> None:
        runtime = EmbeddedRuntime(model, "m", health_every_s=0.05, health_timeout_s=2.0)
        try:
            first = await runtime.url()
            hung = runtime.pid
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)
            async with asyncio.timeout(60):
                while runtime.pid in (None, hung) or not await runtime.loaded():  # noqa: ASYNC110 - no event for it
                    await asyncio.sleep(0.05)
            assert runtime.starts == 2
            assert await runtime.url() != first
            assert await answers(await runtime.url())
            with pytest.raises(ProcessLookupError):
                os.kill(hung, 0)
        finally:
            await runtime.aclose()

    asyncio.run(live())
