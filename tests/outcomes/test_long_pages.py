"""A page of the log is short where its texts are long, and the next one goes on behind it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from tests.outcomes.sample import decision

from edgewise.outcomes import LogReader, SqliteLog


def test_a_page_ends_where_its_texts_are_too_long(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    asked = [decision(prompt="x" * 100_000) for _ in range(10)]

    async def main() -> None:
        async with SqliteLog(path) as log:
            for one in asked:
                await log.append(one)

    asyncio.run(main())
    found, before = list[str](), None
    with closing(LogReader(path)) as reader:
        while page := reader.latest(1000, before, 350_000):
            assert len(page) <= 3
            found += [story.decision.id for story in page]
            before = found[-1]
        assert len(reader.latest(1000, None, 10)) == 1
    assert found == [one.id for one in reversed(asked)]
