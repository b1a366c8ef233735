from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.learning.profiles import CLOUD, EDGE, answering, measured, profiled, prompts

from edgewise.domain.errors import StoreError
from edgewise.learning.profile import Plan, profiler
from edgewise.learning.prompts import Prompt
from edgewise.settings.looping import ProfileSettings


@pytest.mark.parametrize("order", [1, -1])
def test_a_prompt_that_is_private_in_one_line_leaves_with_none(tmp_path: Path, order: int) -> None:
    copies = [
        Prompt(prompt="Who is Ada?"),
        Prompt(prompt="Who  is Ada?", privacy="local"),
        Prompt(prompt="Who is Ada?"),
    ]
    near, far = answering(), answering()
    _, found = profiled(copies[::order], tmp_path, Plan((EDGE, CLOUD)), {"near": near, "far": far})
    assert measured(far) == []
    assert [(row["candidate"], row["privacy"]) for row in found] == [("near", "local")]


def test_whoever_is_turned_away_changes_nothing_of_the_prompts_that_are_read(tmp_path: Path) -> None:
    plan = Plan((EDGE,), ProfileSettings(warm_up=0, repeats=2))
    near = answering()

    def others() -> Iterator[Prompt]:
        yield from (Prompt(prompt=f"Something else, number {n}") for n in range(9))

    async def run() -> None:
        with profiler(prompts(4), tmp_path, plan, {"near": near}) as ready:
            before = (tmp_path / "prompts.jsonl").read_bytes()
            refused = profiler(others(), tmp_path, plan, {"near": near})
            with pytest.raises(StoreError, match="being filled by another process"):
                refused.__enter__()
            assert (tmp_path / "prompts.jsonl").read_bytes() == before
            await ready.run()

    asyncio.run(run())
    assert sorted({request.prompt for request in near.asked}) == sorted(one.prompt for one in prompts(4))
