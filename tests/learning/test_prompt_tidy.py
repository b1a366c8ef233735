"""Prompts are the same once, on one side of the split, and as many as asked for."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.domain.errors import StoreError, TableError
from edgewise.domain.keys import prompt_key
from edgewise.learning.prompts import Prompt, pile, read_prompts
from edgewise.learning.prompts.counts import counted
from edgewise.learning.prompts.tidy import Rules, Tidied, side_of, tidy

LONG = "Write a long letter to the council about the broken street lamp at the corner of Elm Road, number {}."


def _tidied(folder: Path, given: list[Prompt], **rules: Any) -> tuple[list[Prompt], Tidied]:
    path = folder / "prompts.jsonl"
    done = tidy(given, path, Rules(**rules))
    return list(read_prompts(path)), done


def _said(*texts: str, **rest: Any) -> list[Prompt]:
    return [Prompt(prompt=text, **rest) for text in texts]


def test_duplicates_and_near_duplicates_go_and_the_order_stays(tmp_path: Path) -> None:
    given = _said("b", LONG.format(41), "a", " b ", LONG.format(42), "c", "a")
    kept, done = _tidied(tmp_path, given)
    assert [prompt.prompt for prompt in kept] == ["b", LONG.format(41), "a", "c"]
    assert (done.read, done.duplicates, done.near, done.kept) == (7, 2, 1, 4)


def test_near_duplicates_that_are_kept_stand_on_one_side(tmp_path: Path) -> None:
    given = _said(*(LONG.format(number) for number in range(10, 50)), "a", "b", "c", "d", "e", "f")
    assert len({side_of(prompt.prompt, 0.5) for prompt in given[:40]}) == 2
    kept, done = _tidied(tmp_path, given, near=False, test=0.5)
    assert done.near == 0
    assert len(kept) == 46
    assert len({prompt.split for prompt in kept[:40]}) == 1
    assert len({prompt.split for prompt in kept}) == 2


def test_prompts_whose_checks_differ_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    given = [
        Prompt(prompt=LONG.format(number), check={"grader": "numeric", "answer": answer})
        for number, answer in ((10, 1), (11, 2), (12, 1))
    ]
    kept, done = _tidied(tmp_path, given)
    assert [prompt.prompt for prompt in kept] == [LONG.format(10), LONG.format(11)]
    assert done.near == 1
    assert len({prompt.split for prompt in kept}) == 1


def test_a_promise_for_one_copy_holds_for_the_one_that_is_kept(tmp_path: Path) -> None:
    given = [*_said("a", "b", LONG.format(1)), *_said("a ", LONG.format(2), privacy="local")]
    kept, _ = _tidied(tmp_path, given)
    assert [prompt.privacy for prompt in kept] == ["local", None, "local"]
    kept, _ = _tidied(tmp_path, given, near=False)
    assert [prompt.privacy for prompt in kept] == ["local", None, None, "local"]


def test_the_side_is_the_hashs_wherever_the_prompt_stands(tmp_path: Path) -> None:
    given = _said(*(f"{number} {number**3} {number**5}" for number in range(300)))
    kept, done = _tidied(tmp_path, given, test=0.3)
    assert 0.2 < done.test / done.kept < 0.4
    assert all(prompt.split == side_of(prompt.prompt, 0.3) for prompt in kept)
    alone, _ = _tidied(tmp_path, given[7:8], test=0.3)
    assert alone[0].split == kept[7].split


def test_a_split_of_its_own_stays_unless_it_is_made_anew(tmp_path: Path) -> None:
    given = _said("a", "b", "c", split="test")
    kept, done = _tidied(tmp_path, given, test=0.0)
    assert [prompt.split for prompt in kept] == ["test"] * 3
    assert done.test == 3
    kept, _ = _tidied(tmp_path, given, test=0.0, resplit=True)
    assert [prompt.split for prompt in kept] == ["train"] * 3


def test_balanced_kinds_are_equally_many_on_either_side(tmp_path: Path) -> None:
    texts = [f"{number} {number**3} {number**5}" for number in range(300)]
    given = _said(*texts[:200], kind="a") + _said(*texts[200:], kind="b")
    kept, done = _tidied(tmp_path, given, near=False, balance="kind", test=0.3)
    count = Counter((prompt.kind, prompt.split) for prompt in kept)
    assert count["a", "train"] == count["b", "train"] > 50
    assert count["a", "test"] == count["b", "test"] > 15
    assert done.undrawn == 300 - done.kept


def test_a_number_is_drawn_in_proportion_and_by_the_seed(tmp_path: Path) -> None:
    texts = [f"{number} {number**3} {number**5}" for number in range(600)]
    given = _said(*texts[:300], kind="a") + _said(*texts[300:], kind="b")
    kept, done = _tidied(tmp_path, given, most=100, near=False)
    assert done.kept == 100
    assert 15 <= done.test <= 25
    again, _ = _tidied(tmp_path, random.Random(1).sample(given, 600), most=100, near=False)
    assert {prompt.prompt for prompt in again} == {prompt.prompt for prompt in kept}
    other, _ = _tidied(tmp_path, given, most=100, near=False, seed=1)
    assert {prompt.prompt for prompt in other} != {prompt.prompt for prompt in kept}
    even, _ = _tidied(tmp_path, given, most=100, near=False, balance="kind")
    assert abs(Counter(prompt.kind for prompt in even)["a"] - 50) <= 1


def test_of_too_many_a_sample_is_looked_at_in_which_copies_stay_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pile, "MOST", 100)
    texts = [f"{number} {number**3}" for number in range(1000)]
    kept, done = _tidied(tmp_path, _said(*texts, *texts), near=False)
    assert 20 <= done.kept <= 50
    assert done.duplicates == done.kept
    assert done.read == done.kept + done.duplicates + done.sampled == 2000
    assert len(kept) == done.kept


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([LONG.format(n) for n in range(8)] + list("abcdefgh")), min_size=1))
def test_no_prompt_is_lost_but_those_that_are_counted(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    kept, done = _tidied(tmp_path_factory.mktemp("p"), _said(*texts))
    assert done.read == len(texts) == done.kept + done.duplicates + done.near
    assert done.kept + done.near == len({prompt_key(text) for text in texts})
    letters = set(texts) & set("abcdefgh")
    assert len(kept) == done.kept == len(letters) + (letters != set(texts))


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="--test is a share"):
        Rules(test=1.5)
    with pytest.raises(TableError, match="--number must be at least 1"):
        Rules(most=0)
    with pytest.raises(StoreError, match="Cannot write"):
        tidy(_said("a"), tmp_path / "nowhere" / "prompts.jsonl", Rules())
    assert list(tmp_path.iterdir()) == []


def test_counts_of_a_file() -> None:
    chat = [{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]
    counts = counted(
        [
            Prompt(prompt="a", kind="k", split="test", level=2, check={"grader": "exact"}),
            Prompt(prompt="b", kind="k", privacy="local", messages=chat),
            Prompt(prompt="c", kind="z", source="log"),
        ]
    )
    assert (counts.prompts, counts.conversations, counts.local) == (3, 1, 1)
    assert counts.kind == {"k": 2, "z": 1}
    assert counts.split == {"": 2, "test": 1}
    assert counts.level == {"": 2, "2": 1}
    assert counts.check == {"": 2, "exact": 1}
