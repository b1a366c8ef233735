"""A log that somebody deletes or moves while it is written: noticed, counted, said, and nothing new lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.outcomes.sample import decision, outcome

from edgewise.outcomes import LogReader, SqliteLog
from edgewise.settings.schema import OnFailure

Away = Callable[[Path], None]


def unlink(path: Path) -> None:
    path.unlink()


def unlink_all(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere.sqlite"))


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("away", [unlink, unlink_all, move, remove_folder])
@pytest.mark.parametrize("on_failure", ["serve", "refuse"])
def test_what_is_acknowledged_after_the_file_went_is_in_the_new_one(
    tmp_path: Path, on_failure: OnFailure, away: Away
) -> None:
    path = tmp_path / "state" / "log.sqlite"
    before, after = [decision() for _ in range(5)], [decision() for _ in range(5)]

    async def main() -> tuple[list[str], int, bytes]:
        async with SqliteLog(path, on_failure=on_failure) as log:
            for one in before:
                await log.append(one, outcome(one))
            assert log.warnings() == []
            away(path)
            for one in after:
                await log.append(one)
                with closing(LogReader(path)) as reader:
                    assert reader.decision(one.id) is not None
            return log.warnings(), log.lost, log.salt

    warnings, lost, salt = asyncio.run(asyncio.wait_for(main(), 60))
    assert lost == 2 * len(before)
    assert any(f"{path} was deleted or moved away" in said for said in warnings)
    with closing(LogReader(path)) as reader:
        assert [story.decision.id for story in reader.stories()] == [one.id for one in after]
        (gap,) = reader.gaps()
    assert (gap.lost, "deleted or moved away" in gap.why) == (lost, True)

    async def again() -> bytes:
        async with SqliteLog(path) as log:
            return log.salt

    assert asyncio.run(again()) == salt  # the same prompt has the same hash as before


def test_it_is_noticed_though_nobody_asks_anything(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    async def main() -> None:
        async with SqliteLog(path) as log:
            await log.append(decision())  # from now on the writer looks around every second
            path.unlink()
            while not (log.warnings() and path.exists()):  # noqa: ASYNC110 - the writer, a thread, sets no event
                await asyncio.sleep(0.01)
            assert log.lost == 1

    asyncio.run(asyncio.wait_for(main(), 60))
