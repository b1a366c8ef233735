"""No prompt stands on both sides of a split, and what nearly does is counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgewise.learning.tables import folds, leakage, near_duplicates, prompt_key

TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=40)


@given(TEXTS, st.integers(2, 6), st.integers(0, 5))
def test_equal_prompts_share_a_fold_and_order_does_not_matter(
    texts: list[str], count: int, seed: int
) -> None:
    keys = [prompt_key(text) for text in texts]
    dealt = folds(keys, count, seed)
    by_key = dict(zip(keys, dealt, strict=True))
    assert [by_key[key] for key in keys] == dealt.tolist()
    back = folds(keys[::-1], count, seed)
    assert back[::-1].tolist() == dealt.tolist()
    sizes = np.bincount(list(by_key.values()), minlength=count)
    assert sizes.max() - sizes.min() <= 1


def test_white_space_makes_no_other_prompt() -> None:
    assert prompt_key("How  are\nyou ") == prompt_key("How are you")
    assert prompt_key("How are you") != prompt_key("how are you")


def test_leakage_marks_what_was_seen() -> None:
    assert leakage(["a", "b"], ["b", "c"]).tolist() == [True, False]


def test_near_duplicates_are_counted() -> None:
    text = "Write a short poem about the sea, the wind and a small wooden boat in the harbour of "
    others = [f"Entirely different sentence number {n} on subject {n * n}." for n in range(20)]
    assert near_duplicates([text + "Lisbon.", *others], [text + "Lisbon!", "Something else altogether."]) == 1
    assert near_duplicates([], ["a"]) == 0
    assert near_duplicates(["", "a"], ["", "xyz"]) == 1
