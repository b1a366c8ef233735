from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.learning.judge import CRITICALITY, PAIR, QUALITY, Unreadable, Verdict, read_verdict


@pytest.mark.parametrize(
    "reply",
    [
        '{"rationale": "Right.", "score": 85}',
        'Here it is:\n```json\n{"score": "85", "rationale": "Right."}\n```',
        '<think>Perhaps {"score": 3}?</think>{"rationale": "Right.", "score": 85.0}',
        "85",
        " 85/100. ",
        "**85**",
        "Score: 85",
        "The answer is right.\n\n**Score:** 85/100",
        '{"score": 85} and again {"score": 85}',
        '{"score": "85/100"}',
        "The score is 85 out of 100.",
    ],
)
def test_a_score_is_read_however_it_is_wrapped(reply: str) -> None:
    assert read_verdict(reply, QUALITY).values == {"score": 85.0}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        ("<think>hm</think>", "empty"),
        ("fnord fnord", "garbage"),
        ('{"score": null}', "garbage"),
        ('{"score": true}', "garbage"),
        ('{"score": NaN}', "garbage"),
        ('{"score": "very good"}', "garbage"),
        ('{"mark": 3}', "garbage"),
        ('{"score": 850}', "range"),
        ('{"score": -1}', "range"),
        ('{"score": Infinity}', "range"),
        ("Score: 101", "range"),
        ("I'm sorry, but I can't rate this.", "refused"),
        ('{"score": 5} {"score": 100}', "ambiguous"),
        ('{"score": 5, "score": 100}', "ambiguous"),
        ("score: 5, no: score: 100", "ambiguous"),
        ("It has 3 faults and 85 words.", "garbage"),
        ("Score: 8/10", "garbage"),
        ("I give a score of 8 out of 10.", "garbage"),
        ("score: 85/1000", "garbage"),
        ("score: 1,000", "garbage"),
        ("score: 8.5.1", "garbage"),
        ("[" * 10_000, "garbage"),
        ('{"a":' * 5_000, "garbage"),
    ],
)
def test_what_is_no_verdict_is_none_and_says_why(reply: str, why: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_verdict(reply, QUALITY)
    assert raised.value.why == why
    assert str(raised.value).startswith("The judge")


@given(st.floats(0, 100), st.text(max_size=40))
def test_every_verdict_in_range_comes_back_as_it_was(score: float, why: str) -> None:
    found = read_verdict(json.dumps({"rationale": why, "score": score}), QUALITY)
    assert found == Verdict({"score": score}, None, why.strip())


@given(st.text(max_size=300))
def test_no_reply_makes_the_reader_fail_or_leave_the_scale(reply: str) -> None:
    try:
        found = read_verdict(reply, QUALITY)
    except Unreadable:
        return
    assert 0 <= found.values["score"] <= 100


def test_both_scales_of_criticality_are_needed() -> None:
    both = read_verdict('{"mission_criticality": 10, "time_criticality": 2.5}', CRITICALITY)
    assert both.values == {"mission_criticality": 10, "time_criticality": 2.5}
    worded = read_verdict("mission criticality: 3, time criticality: 9", CRITICALITY)
    assert worded.values == {"mission_criticality": 3, "time_criticality": 9}
    with pytest.raises(Unreadable):
        read_verdict('{"mission_criticality": 10}', CRITICALITY)
    with pytest.raises(Unreadable):
        read_verdict("7", CRITICALITY)


def test_a_comparison_is_one_of_three_words() -> None:
    assert read_verdict('{"better": "a", "rationale": "x"}', PAIR).choice == "A"
    assert read_verdict("Tie.", PAIR).choice == "tie"
    for reply in ('{"better": "C"}', "neither", '{"better": 1}', '{"better":"A"} {"better":"B"}'):
        with pytest.raises(Unreadable):
            read_verdict(reply, PAIR)


def test_a_rubric_that_changes_has_another_version() -> None:
    changed = QUALITY.__class__(QUALITY.name, QUALITY.system + " ", QUALITY.scales)
    assert changed.version != QUALITY.version
    assert len({QUALITY.version, CRITICALITY.version, PAIR.version}) == 3


def test_the_published_scales_and_points_stand_in_the_rubrics() -> None:
    assert [(s.low, s.high) for s in QUALITY.scales] == [(0, 100)]
    assert [(s.low, s.high) for s in CRITICALITY.scales] == [(0, 10), (0, 10)]
    points = ("mission 0, time 0", "mission 10, time 2", "mission 8, time 9", "mission 6, time 3")
    for point in (*points, "mission 3, time 9", "mission 7, time 5"):
        assert f"[{point}]" in CRITICALITY.system
    assert "[score 0]" in QUALITY.system
    assert "[score 100]" in QUALITY.system


def test_a_rationale_with_half_a_character_can_be_kept() -> None:
    found = read_verdict('{"rationale": "Right \\ud800.", "score": 85}', QUALITY)
    assert (found.rationale, found.values) == ("Right ?.", {"score": 85.0})
