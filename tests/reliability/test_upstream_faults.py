"""The fault matrix, upstream: every row of it against a real gateway with a bad network behind it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from tests.reliability.rig import LIMITS, UNHURRIED, Rig, Told
from tests.reliability.upstream_rows import ROWS, Row, takes_and_keeps

CASES = [(row, kind) for row in ROWS for kind in row.kinds]
NAMES = [f"{row.name}, {kind}" for row, kind in CASES]


async def meet(rig: Rig, row: Row, kind: str, model: str) -> tuple[Told, str]:
    """A request that meets the fault, and then one that does not."""
    rig.limits = LIMITS if row.hurried else UNHURRIED
    async with rig.running(row.inject), asyncio.timeout(90):
        if rig.warm_up:
            assert (await rig.ask("sick", streamed=False)).status == 200
        if rig.hang_up:
            await rig.chaos.hang_up()
        told = await rig.ask(model, streamed=kind == "streamed", headers=dict(row.headers))
        held = rig.held(told)
        rig.heal()
        following = await rig.ask("sick" if row.heals else "well", streamed=False)
        assert following.status == 200, following.body
    return told, held


def deadline_s(row: Row) -> float:
    """By when a client has an answer or an error, whatever happens; and as much again for a busy machine."""
    return 2 * (4.0 if row.hurried else 60.0)


@pytest.mark.parametrize(("row", "kind"), CASES, ids=NAMES)
def test_a_request_that_only_the_sick_one_may_answer(
    row: Row, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, held = asyncio.run(meet(Rig(tmp_path, monkeypatch), row, kind, "sick"))
    assert (str(told), held) == row.pinned
    assert told.took_s < deadline_s(row)


@pytest.mark.parametrize(("row", "kind"), CASES, ids=NAMES)
def test_a_request_that_another_may_answer(
    row: Row, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, held = asyncio.run(meet(Rig(tmp_path, monkeypatch), row, kind, "auto"))
    assert (str(told), held) == row.free
    assert told.took_s < deadline_s(row)


def test_a_connection_has_a_time_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, monkeypatch, limits=UNHURRIED.replace("connect_s = 20", "connect_s = 0.2"))

    async def main() -> Told:
        async with rig.running(takes_and_keeps):
            return await rig.ask("sick", streamed=False)

    said = asyncio.run(main()).error
    assert said is not None
    assert re.search(r"no connection to 127\.0\.0\.1:\d+ in 0\.2 s", said["message"])


TLS = [row for row in ROWS if "TLS" in row.name]


@pytest.mark.parametrize("row", TLS, ids=[row.name for row in TLS])
def test_who_cannot_prove_its_name_gets_nothing(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    told, _ = asyncio.run(meet(rig, row, "whole", "sick"))
    assert rig.sick.calls == 0
    assert "certificate" in (told.error or {})["message"]
