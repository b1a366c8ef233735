"""The shipped prompts: whole, balanced, different, and each check proven on a right and a wrong answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from scripts.shipped_prompts.__main__ import FOLDER, TASKS, lines
from scripts.shipped_prompts.arithmetic import worked_out

from edgewise.learning.graders import GRADERS, grade, grader_of, shipped
from edgewise.learning.prompts import Prompt, read_prompts, write_prompts
from edgewise.learning.tables.splits import NEAR, shingles_of

PROMPTS = shipped()
RUN = [prompt for prompt in PROMPTS if prompt.group == "code"]


def said(prompt: Prompt, which: str) -> float | None:
    return grade(prompt.check or {}, prompt.more[which], run_code=True).quality


def test_there_are_ten_of_every_task_and_level() -> None:
    cells = Counter((prompt.group, prompt.level) for prompt in PROMPTS)
    assert cells == {(task, level): 10 for task in TASKS for level in range(1, 6)}
    assert {(prompt.check or {})["grader"] for prompt in PROMPTS} == set(GRADERS)
    assert {prompt.source for prompt in PROMPTS} == {"edgewise"}


def test_no_two_are_alike() -> None:
    assert len({prompt.prompt for prompt in PROMPTS}) == len(PROMPTS)
    sets = [frozenset(shingles_of(prompt.prompt).tolist()) for prompt in PROMPTS]
    near = [
        (PROMPTS[a].prompt, PROMPTS[b].prompt)
        for a in range(len(sets))
        for b in range(a)
        if len(sets[a] & sets[b]) >= NEAR * len(sets[a] | sets[b])
    ]
    assert near == []


def test_the_right_letter_is_anywhere() -> None:
    letters = Counter(
        prompt.check["answer"]
        for prompt in PROMPTS
        if prompt.check and prompt.check["grader"] == "choice" and isinstance(prompt.check["options"], dict)
    )
    assert max(letters.values()) <= sum(letters.values()) * 0.5


@pytest.mark.parametrize("task", sorted(set(TASKS) - {"code"}))
def test_every_check_tells_right_from_wrong(task: str) -> None:
    missed = [
        prompt.more["name"]
        for prompt in PROMPTS
        if prompt.group == task and (said(prompt, "right"), said(prompt, "wrong")) != (1.0, 0.0)
    ]
    assert missed == []


def test_every_tenth_function_tells_right_from_wrong() -> None:
    assert {(said(prompt, "right"), said(prompt, "wrong")) for prompt in RUN[4::10]} == {(1.0, 0.0)}


@pytest.mark.slow
def test_every_function_tells_right_from_wrong() -> None:
    assert [p.more["name"] for p in RUN if (said(p, "right"), said(p, "wrong")) != (1.0, 0.0)] == []


def test_every_prompt_refuses_the_right_answers_of_the_others() -> None:
    """Nothing that is said to another prompt is right by chance: an answer alike aside."""
    for task in sorted(set(TASKS) - {"code"}):
        group = [prompt for prompt in PROMPTS if prompt.group == task]
        for one, other in zip(group, group[7:] + group[:7], strict=True):
            if (one.check or {}).get("answer") != (other.check or {}).get("answer"):
                graded = grade(one.check or {}, other.more["right"])
                assert graded.quality == 0.0 or (one.check or {})["grader"] == "regex", one.more["name"]


def test_every_sum_is_worked_out() -> None:
    for prompt in PROMPTS:
        if prompt.group == "arithmetic":
            assert worked_out(prompt.more["working"]) == pytest.approx((prompt.check or {})["answer"])


@pytest.mark.parametrize("task", TASKS)
def test_the_files_are_what_the_generator_makes(task: str) -> None:
    assert (FOLDER / f"{task}.jsonl").read_text("utf-8").splitlines() == list(lines(task))


def test_they_are_a_prompts_file(tmp_path: Path) -> None:
    path = tmp_path / "shipped.jsonl"
    assert write_prompts(PROMPTS, path) == len(PROMPTS)
    assert list(read_prompts(path)) == PROMPTS
    assert all(json.loads(line)["check"] for line in path.read_text("utf-8").splitlines())


def test_what_checks_know_to_be_right_is_right() -> None:
    for prompt in PROMPTS:
        known = grader_of(prompt.check or {}).known_right()
        assert known is None or grade(prompt.check or {}, known).quality == 1.0
