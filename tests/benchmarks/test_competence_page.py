"""The page of the embedded model's competence says what its answers were worth."""

from __future__ import annotations

import pytest
from benchmarks.competence_page import by_chance, page, wilson

from edgewise.learning.graders import shipped


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_intervals_are_wilsons(right: int, count: int, low: float, high: float) -> None:
    assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)


def test_the_sign_test_is_exact() -> None:
    assert [by_chance(won, 5 - won) for won in range(3)] == [0.0625, 0.375, 1.0]
    assert by_chance(0, 0) == 1.0


def test_right_and_wrong_answers_are_counted_by_task_level_and_pair() -> None:
    prompts = [prompt for prompt in shipped(["arithmetic"]) if prompt.level and prompt.level <= 4]
    kept = [
        {"way": way, "name": p.more["name"], "response": p.more[which], "tokens": 8}
        for way, which in (("plain", "wrong"), ("better", "right"))
        for p in prompts
    ]
    few = [{**kept[0], "way": "few"}]
    ways = {"plain": "asked once", "better": "asked twice", "few": "asked hardly"}
    text = page([*kept, *few], ways, "1 May 2026")
    assert "| asked once | 0 % (0 to 9; n 40) | 8 |" in text
    assert "| arithmetic | 10/10 | 10/10 | 10/10 | 10/10 | 0/0 | 100 % (91 to 100; n 40) |" in text
    assert "| asked twice | 40 | 0 | 40 | 40 | 0 | 0.00 |" in text
    assert "asked hardly" not in text
