from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import feedback as any_feedback

from edgewise.domain.decisions import Feedback
from edgewise.domain.errors import RequestError
from edgewise.domain.feedback import agreed, checked_feedback, quality_of


def said(**what: Any) -> Feedback:
    return checked_feedback(id="f", decision_id="d", at=0.0, **what)


@pytest.mark.parametrize(
    ("what", "quality"),
    [
        ({"quality": 0.4}, 0.4),
        ({"success": 1.0}, 1.0),
        ({"rating": 1}, 0.0),
        ({"rating": 4}, 0.75),
        ({"thumbs": "up"}, 1.0),
        ({"thumbs": "down"}, 0.0),
        ({"edit_distance": 0.25}, 0.75),
        ({"correction": True}, 0.0),
        ({"correction": False}, None),
        ({"abandoned_s": 0.0}, 0.0),
        ({"abandoned_s": 30.0}, 0.25),
        ({"abandoned_s": 1e9}, 0.5),
        ({"comment": "hm"}, None),
        ({"quality": 0.1, "thumbs": "up"}, 0.1),  # the first line of the table counts
        ({"correction": True, "abandoned_s": 60.0}, 0.0),
    ],
)
def test_what_each_saying_is_worth(what: dict[str, Any], quality: float | None) -> None:
    assert quality_of(said(**what)) == quality


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({}, "says nothing"),
        ({"quality": None}, "says nothing"),
        ({"quality": 1.01}, "`quality` lies between 0 and 1"),
        ({"quality": float("nan")}, "`quality` lies between 0 and 1"),
        ({"rating": 0}, "`rating` lies between 1 and 5"),
        ({"edit_distance": -0.1}, "`edit_distance` lies between 0 and 1"),
        ({"abandoned_s": -1}, "`abandoned_s` lies at 0 or above"),
        ({"abandoned_s": float("inf")}, "`abandoned_s` lies at 0 or above"),
        ({"success": 2}, "`success` lies between 0 and 1"),
        ({"comment": "x" * 10_001}, "`comment` has at most 10,000 characters, not 10,001"),
        ({"rating": 4, "source": "x" * 1_000_000}, "`source` has at most 200 characters"),
        ({"comment": "caf\udcc3"}, "`comment` holds half a character"),
        ({"rating": 4, "source": "\ud800"}, "`source` holds half a character"),
    ],
)
def test_what_cannot_be_said_is_a_sentence(what: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        said(**what)


def test_the_most_trusted_kind_counts() -> None:
    observed, judge = said(correction=True), said(quality=0.3, source="judge:phi")
    person, other = said(thumbs="up"), said(rating=3)
    grader = said(quality=0.0, source="grader:numeric")
    assert agreed([]) is None
    assert agreed([said(comment="hm")]) is None
    assert agreed([observed]) == (0.0, "user")
    assert agreed([observed, judge]) == (0.3, "judge:phi")
    assert agreed([observed, judge, person]) == (1.0, "user")
    assert agreed([judge, person, other]) == (0.75, "user")
    assert agreed([person, grader, judge]) == (0.0, "grader:numeric")


@given(st.lists(any_feedback, max_size=4))
def test_a_quality_is_always_a_share(several: list[Feedback]) -> None:
    found = agreed(several)
    assert found is None or 0.0 <= found[0] <= 1.0
    for one in several:
        quality = quality_of(one)
        assert quality is None or 0.0 <= quality <= 1.0
