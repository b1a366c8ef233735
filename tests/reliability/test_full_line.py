"""Too much for one endpoint: others are chosen while its line is full, and it is chosen again after that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.reliability.rig import UNHURRIED, Rig, until, well

WAITING = 2  # behind the one call that is under way


class Edge(Rig):
    """`sick` is the edge of a rule of thumb that prefers it, and answers one call at a time."""

    def _config(self) -> str:
        config = super()._config()
        fixed, rule = 'kind = "fixed"\ncandidate = "sick"', 'kind = "complexity"'
        assert fixed in config
        config = config.replace(fixed, rule).replace('location = "edge"', 'location = "cloud"')
        return config.replace('id = "sick"\nlocation = "cloud"', 'id = "sick"\nlocation = "edge"')

    @property
    def is_full(self) -> bool:
        signal = self.app.world.signals().get("queue_full:sick")
        return signal is not None and signal.value == 1.0


@pytest.mark.parametrize("streamed", [False, True])
def test_a_line_that_is_full(streamed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More requests than the line holds.

    Injected: an endpoint with `slots = 1` keeps three requests waiting, and more come.
    Client: an answer of the other endpoint at once; who pinned the busy one gets 429 `overloaded` with
      `Retry-After`; those in line are answered in their turn.
    Log: one outcome each; the decisions say that as many wait for it as may wait.
    """
    rig = Edge(tmp_path, monkeypatch, limits=UNHURRIED, more="slots = 1")

    async def main() -> None:
        free = asyncio.Event()

        async def once_free(streamed: bool) -> AsyncIterator[bytes]:
            await free.wait()
            for step in well(streamed):
                assert isinstance(step, bytes)
                yield step

        async def inject(_: Rig) -> None:
            rig.sick.answer = once_free

        async with rig.running(inject), asyncio.timeout(60):
            line = [asyncio.create_task(rig.ask("auto", streamed=streamed)) for _ in range(1 + WAITING)]
            await until(lambda: rig.is_full)
            for _ in range(3):
                told = await rig.ask("auto", streamed=streamed)
                assert str(told) == "200 from well"
                assert told.headers["x-edgewise-reason"] == "overloaded"
                assert rig.held(told) == "ok (well ok), cost billed"
                story = rig.app.reader.decision(told.headers["x-request-id"])
                assert story is not None
                (objection,) = story.decision.objections
                assert objection.sentence == "As many wait for it as may wait"
            pinned = await rig.ask("sick", streamed=streamed)
            assert str(pinned) == "429 `overloaded`"
            assert int(pinned.headers["retry-after"]) >= 1
            free.set()
            assert {str(await one) for one in line} == {"200 from sick"}
            assert not rig.is_full
            assert str(await rig.ask("auto", streamed=streamed)) == "200 from sick"

    asyncio.run(main())
