"""Nobody waits for ever: calls that are left, cancelled, or still under way when the router closes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.clouds import Server, served

from edgewise import EdgewiseError, Router
from edgewise.outcomes import LogReader


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))


@pytest.fixture
def silent() -> Iterator[Server]:
    with served(Server(ollama=False, hangs=True)) as server:
        yield server


def candidates(server: Server) -> list[dict[str, Any]]:
    return [{"id": "silent", "location": "edge", "url": server.url}]


def test_who_still_waits_when_the_router_closes_is_told_so(silent: Server, tmp_path: Path) -> None:
    told: list[str] = []

    def wait(router: Router) -> None:
        try:
            router.ask("Hello?").reply()
        except EdgewiseError as error:
            told.append(str(error))

    with Router(candidates(silent)) as router:
        waiting = threading.Thread(target=wait, args=(router,), daemon=True)
        waiting.start()
        assert silent.was_asked.wait(30)
    waiting.join(30)
    assert told == ["The router was closed before the answer came."]
    (story,) = LogReader(tmp_path / "edgewise.sqlite").latest()
    assert story.outcome is not None
    assert story.outcome.status == "cancelled"


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("threaded", [True, False])
def test_a_cancelled_call_is_over(silent: Server, *, streamed: bool, threaded: bool) -> None:
    async def ask(router: Router) -> None:
        if streamed:
            async for _ in router.ask("Hello?"):
                pass
        else:
            await router.ask("Hello?")

    async def use(router: Router) -> None:
        asking = asyncio.create_task(ask(router))
        await asyncio.to_thread(silent.was_asked.wait, 30)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    async def opened() -> None:
        async with Router(candidates(silent)) as router:
            await use(router)

    if threaded:
        with Router(candidates(silent)) as router:
            asyncio.run(use(router))
    else:
        asyncio.run(opened())
