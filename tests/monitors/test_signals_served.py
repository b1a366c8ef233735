from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from threading import Event

import pytest

from edgewise.app import App
from edgewise.domain.errors import NoEligibleCandidate
from edgewise.domain.ids import mint
from edgewise.domain.requests import Request
from edgewise.domain.signals import Reading
from edgewise.monitors import Watch
from edgewise.settings.load import from_tree

CONFIG = {
    "signals": {
        "enabled": False,
        "levels": {"memory": {"critical": 0.9, "critical_leave": 0.8}},
    },
    "policy": {"kind": "fixed", "candidate": "here", "explore": 0.0},
    "candidates": [
        {"id": "here", "location": "edge", "script": {"replies": ["Here."]}},
        {"id": "there", "location": "cloud", "script": {"replies": ["There."]}},
    ],
}


class Busy:
    """A machine whose memory is full."""

    def __init__(self) -> None:
        self.asked_again = Event()
        self._asked = 0

    def read(self) -> Iterable[Reading]:
        self._asked += 1
        if self._asked > 1:  # what was read first is on the board
            self.asked_again.set()
        return [Reading("memory", 0.92, "share", "test")]


@pytest.mark.parametrize("busy", [True, False])
def test_what_monitors_read_decides_and_stands_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))

    async def served() -> None:
        monitor = Busy()
        app = App(from_tree(CONFIG, source="test"), monitors=[Watch("busy", monitor, 0.01)] if busy else ())
        async with app:
            if busy:
                await asyncio.to_thread(monitor.asked_again.wait, 60)
            decision = await app.router.decide(Request(mint(), "Hi", "Hi", b"{}"))
        assert decision.chosen == ("there" if busy else "here")
        assert decision.signals == ({"memory": 0.92} if busy else {})
        assert [o.rule for o in decision.objections] == (["resources"] if busy else [])

    asyncio.run(served())


def test_the_log_keeps_what_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))

    async def served() -> None:
        monitor = Busy()
        async with App(from_tree(CONFIG, source="test"), monitors=[Watch("busy", monitor, 0.01)]) as app:
            await asyncio.to_thread(monitor.asked_again.wait, 60)
            body = b'{"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}'
            answer = await app.router.route(Request(mint(), "Hi", "Hi", body))
            story = app.reader.decision(answer.decision.id)
        assert story is not None
        assert story.decision.signals == {"memory": 0.92}

    asyncio.run(served())


def test_the_record_of_a_refusal_says_what_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    alone = {**CONFIG, "candidates": CONFIG["candidates"][:1]}  # type: ignore[index]

    async def served() -> None:
        monitor = Busy()
        async with App(from_tree(alone, source="test"), monitors=[Watch("busy", monitor, 0.01)]) as app:
            await asyncio.to_thread(monitor.asked_again.wait, 60)
            request = Request(mint(), "Hi", "Hi", b'{"model": "auto", "messages": []}')
            with pytest.raises(NoEligibleCandidate):
                await app.router.route(request)
            story = app.reader.decision(request.id)
        assert story is not None
        assert story.decision.chosen == ""
        assert story.decision.signals == {"memory": 0.92}

    asyncio.run(served())
