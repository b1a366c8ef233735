"""How graders read answers: what gets credit, and above all what gets none."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import TableError
from edgewise.learning.graders import GRADERS, grade, grader_of

CAPITALS = {"A": "Rome", "B": "Paris", "C": "Oslo", "D": "Bern"}


def quality(check: dict[str, Any], response: str) -> float | None:
    return grade(check, response).quality


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        (42, "42"),
        (42, "The answer is 42."),
        (42, "**42**"),
        (42, r"So \boxed{42}."),
        (42, "$42"),
        (42, "42 km/h"),
        (42, "#### 42"),
        (42, "40 + 2 = 42"),
        (42, "Answer: 42 apples (out of 50)"),
        (42, "It comes to 42%"),
        (42, r"$\frac{84}{2} = 42$"),
        (42, "<think>maybe 41? or 43</think>\n42"),
        (42, "42.0"),
        (42, "forty-two"),
        (1234567, "1,234,567"),
        (1234567, "1 234 567".replace(" ", "\u202f")),
        (1234567, "1'234'567"),
        (1234567.5, "1.234.567,50"),
        (1234.5, "$1,234.50"),
        (12.5, "12,5"),
        (0.75, "3/4"),
        (1.75, "1 3/4"),
        (0.75, r"\(\frac{3}{4}\)"),
        (-42, "-42"),
        (-42, "minus 42"),
        (-42, "\u221242"),
        (-42, "-$42"),
        (4200, "4.2e3"),
        (4200, r"4.2 \times 10^{3}"),
        (1500000, "1.5 million"),
        (5, "Five."),
        (0.5, ".5"),
        (180, "**180 km** in 2.5 hours"),
        (42, "The answer is 41. Wait, let me recheck. The answer is 42."),
        (42, "First 6 and 7. Then we multiply them.\n\nFinal answer: **42**"),
        (9, "It is not 8 but 9"),
        (302, "The room of Hana is 302."),
        (42, "The result is:\n\n42"),
        (7, "x = 7"),
    ],
)
def test_a_number_counts_however_it_is_written(answer: float, response: str) -> None:
    assert quality({"grader": "numeric", "answer": answer}, response) == 1.0


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        (42, ""),
        (42, "I do not know."),
        (42, "43"),
        (42, "41, 42"),
        (42, "41 or 42"),
        (42, "41\n42\n43"),
        (42, "The answer is 41 or 42."),
        (42, "between 41 and 42"),
        (42, "The answer is 42 or 43"),
        (42, "41/42"),
        (42, "Answer: 41\nAnswer: 42"),
        (42, r"\boxed{41} \boxed{42}"),
        (42, "The answer is not 42."),
        (42, "30 + 42"),
        (42, "It isn't 42"),
        (42, "B42"),
        (42, "420"),
        (42, "4.2"),
        (42, "-42"),
        (42, "1,042"),
        (3, "1,2,3"),
        (3, "1, 2, 3"),
        (0, "1/0"),
        (42, "1e999"),
        (42, "9" * 5000),
        (42, "40 km or 42 km"),
        (42, "The answer is 41. The answer is 42."),
        (9, "Half of 18 is 18/2"),
    ],
)
def test_a_number_that_is_hedged_denied_or_another_does_not_count(answer: float, response: str) -> None:
    assert quality({"grader": "numeric", "answer": answer}, response) == 0.0


@given(
    numbers=st.lists(st.integers(-999, 9999), min_size=2, max_size=8, unique=True),
    between=st.sampled_from([", ", " or ", " and ", "\n", "; ", " / ", "|", ",", " to "]),
    before=st.sampled_from(["", "The answer is ", "Answer: ", "It is "]),
    right=st.integers(0, 7),
)
def test_no_list_of_numbers_gets_credit(numbers: list[int], between: str, before: str, right: int) -> None:
    answer = numbers[right % len(numbers)]
    assert quality({"grader": "numeric", "answer": answer}, before + between.join(map(str, numbers))) == 0.0


@given(
    value=st.integers(-(10**12), 10**12),
    form=st.sampled_from(["{}", "{:,}", "The answer is {:,}.", "**{}**"]),
)
def test_every_whole_number_is_read_back(value: int, form: str) -> None:
    assert quality({"grader": "numeric", "answer": value}, form.format(value)) == 1.0
    assert quality({"grader": "numeric", "answer": value + 1}, form.format(value)) == 0.0


def test_the_tolerance_is_the_whole_tolerance() -> None:
    check = {"grader": "numeric", "answer": 3.14159, "tolerance": 0.01}
    assert [quality(check, said) for said in ("3.14", "3.15", "3.2")] == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "response",
    [
        "B",
        "(B)",
        "B.",
        "B)",
        "b",
        "**B**",
        "Answer: B",
        "The answer is B.",
        "B) Paris",
        "Paris",
        "paris.",
        "The capital of France is Paris.",
        r"\boxed{B}",
        "Option B",
        "I choose option B",
        "B. Paris, since the others are elsewhere.",
        "It is Paris, not Rome.",
        "Not A. The answer is (B).",
        "The answer is B: Paris",
        "B\n\nExplanation: Rome is in Italy, Oslo in Norway and Bern in Switzerland.",
        "Final answer: **Paris**",
        "<think>A? C?</think> B",
        "A) Rome\nB) Paris\nC) Oslo\nD) Bern\n\nThe answer is B.",
        "'Paris'",
    ],
)
def test_a_choice_counts_in_all_its_forms(response: str) -> None:
    assert quality({"grader": "choice", "answer": "B", "options": CAPITALS}, response) == 1.0


@pytest.mark.parametrize(
    "response",
    [
        "A",
        "C.",
        "Rome",
        "A or B",
        "B or C",
        "(A) (B)",
        "A, B, C, D",
        "ABCD",
        "all of them",
        "I don't know",
        "Rome, Paris",
        "B. Rome",
        "The answer is A or B.",
        "It is not Paris.",
        "neither B nor C",
        "Paris is wrong.",
        "B is incorrect.",
        "Answer: A\nAnswer: B",
        "A) Rome B) Paris C) Oslo D) Bern",
        "A good question!",
        "Both Paris and Bern",
        "be",
        "Parisian",
        "",
        "B\nA",
        "Not B.",
    ],
)
def test_a_choice_that_is_another_or_several_does_not_count(response: str) -> None:
    assert quality({"grader": "choice", "answer": "B", "options": CAPITALS}, response) == 0.0


ORDERS = [list(order) for order in permutations(CAPITALS)]


@given(
    order=st.sampled_from(ORDERS),
    form=st.sampled_from(["{0}", "({0})", "{0}) {1}", "{1}", "{0}. {1}", "- {1}", "**{0}**", "Answer: {0}"]),
    between=st.sampled_from([", ", "\n", " or ", " ", "; ", " / ", " and ", ". "]),
    answer=st.sampled_from("ABCD"),
)
def test_naming_every_option_is_never_right(order: list[str], form: str, between: str, answer: str) -> None:
    response = between.join(form.format(name, CAPITALS[name]) for name in order)
    assert quality({"grader": "choice", "answer": answer, "options": CAPITALS}, response) == 0.0


def test_labels_are_whole_words_and_the_longer_ones_go_first() -> None:
    check = {"grader": "choice", "answer": "spam", "options": ["spam", "not spam"]}
    assert [quality(check, said) for said in ("Spam!", "not spam", "It is spam.", "This is not spam.")] == [
        1,
        0,
        1,
        0,
    ]
    check["answer"] = "not spam"
    assert quality(check, "This is **not spam**.") == 1.0


@pytest.mark.parametrize(
    "response",
    [
        "Kenji",
        "kenji.",
        '"Kenji"',
        "**Kenji**",
        "The winner is Kenji.",
        "The race was won by Kenji.",
        "Answer: Kenji",
        r"\boxed{Kenji}",
        "Here is the name:\nKenji",
        "The answer is **Kenji**.",
        "`Kenji`",
        "<think>Anna?</think>Kenji",
    ],
)
def test_a_text_counts_however_it_is_wrapped(response: str) -> None:
    assert quality({"grader": "exact", "answer": ["Kenji", "Kenji Mori"]}, response) == 1.0


@pytest.mark.parametrize(
    "response",
    [
        "Anna",
        "Anna or Kenji",
        "Anna\nKenji",
        "Anna, Kenji",
        "The answer is not Kenji.",
        "It is Anna, or it is Kenji",
        "Kenjiro",
        "The runners: Anna, Kenji",
        "Answer: Anna\nAnswer: Kenji",
        "**Anna** **Kenji**",
        "It isn't Kenji.",
    ],
)
def test_a_text_among_others_or_denied_does_not_count(response: str) -> None:
    assert quality({"grader": "exact", "answer": ["Kenji", "Kenji Mori"]}, response) == 0.0


@given(
    st.permutations(["Kenji", "Anna", "Omar", "Ruth"]),
    st.sampled_from([", ", "\n", " or ", "; ", " / ", ". "]),
)
def test_no_list_of_texts_gets_credit(names: list[str], between: str) -> None:
    assert quality({"grader": "exact", "answer": "Kenji"}, between.join(names)) == 0.0


def test_alone_means_to_the_letter() -> None:
    check = {"grader": "exact", "answer": "  *\n ***", "alone": True}
    said = ("  *\n ***", "```\n  *\n ***\n```", "  *\n ***\n", "*\n***", "Here:\n  *\n ***")
    assert [quality(check, one) for one in said] == [1, 1, 1, 0, 0]
    case = {"grader": "exact", "answer": "iOS", "case": True}
    assert [quality(case, one) for one in ("iOS", "**iOS**", "ios")] == [1, 1, 0]


PERSON = {
    "grader": "json_schema",
    "schema": {"type": "object", "properties": {"age": {"type": "number"}}, "required": ["name", "age"]},
    "answer": {"name": "Ida", "age": 30},
}


@pytest.mark.parametrize(
    "response",
    [
        '{"name": "Ida", "age": 30}',
        '```json\n{"name": "Ida", "age": 30.0}\n```',
        'Sure: {"age": 30, "name": "Ida "} ok?',
        '```\n{"name":"Ida","age":30}\n```\nAs you asked.',
        '<think>{"name": "no"}</think>{"name": "Ida", "age": 30}',
    ],
)
def test_json_counts_in_fences_and_prose(response: str) -> None:
    assert quality(PERSON, response) == 1.0


@pytest.mark.parametrize(
    "response",
    [
        "Ida is 30",
        '{"name": "Ida"}',
        '{"name": "Ida", "age": "30"}',
        '{"name": "Ida", "age": true}',
        "{",
        "[" * 9000,
        '{"name": "Ida", "age": 31, "age": 30}',
        '{"name": "Ida", "age": 30} {"name": "Bo", "age": 3}',
        '{"name": "Ida", "age": NaN}',
        '```json\n{"name": "Ida", "age": 30}\n```\n```json\n{"name": "Bo", "age": 1}\n```',
        '{"name": "Ida", "age": 30, "more": 1}',
        '{"a":' * 3000,
    ],
)
def test_other_json_several_values_and_what_is_none_do_not_count(response: str) -> None:
    assert quality(PERSON, response) == 0.0


def test_json_alone_forgives_a_fence_and_nothing_else() -> None:
    check = {"grader": "json_schema", "schema": {"type": "array"}, "alone": True}
    said = ("[1]", "```json\n[1]\n```", "Here: [1]", "```json\n[1]\n```\nDone.", "Well.\n[1]")
    assert [quality(check, one) for one in said] == [1, 1, 0, 0, 0]


def test_a_pattern_is_tried_on_the_whole_answer_unless_it_searches() -> None:
    whole = {"grader": "regex", "pattern": r"\d{4}-\d\d"}
    said = ("2024-05", "```\n2024-05\n```", "in 2024-05", "2024-051")
    assert [quality(whole, one) for one in said] == [1, 1, 0, 0]
    assert quality({**whole, "search": True}, "in 2024-05") == 1.0
    assert quality({"grader": "regex", "pattern": "ok", "ignore_case": True}, "OK") == 1.0


def test_a_pattern_that_takes_forever_leaves_the_answer_unjudged_and_the_next_one_well() -> None:
    evil = grade({"grader": "regex", "pattern": r"(a+)+$"}, "a" * 60 + "!")
    assert evil.quality is None
    assert "longer than" in evil.rationale
    assert quality({"grader": "regex", "pattern": "a+"}, "aaa") == 1.0
    schema = {"grader": "json_schema", "schema": {"type": "string", "pattern": "(a+)+$"}}
    assert quality(schema, '"' + "a" * 5000 + '!"') == 0.0


@given(st.text(max_size=400), st.sampled_from(sorted(set(GRADERS) - {"code", "regex"})))
def test_no_answer_is_an_error(response: str, name: str) -> None:
    checks: dict[str, dict[str, Any]] = {
        "exact": {"answer": "Kenji"},
        "numeric": {"answer": 1},
        "choice": {"answer": "B", "options": CAPITALS},
        "json_schema": {"schema": {"type": "object"}},
    }
    found = grade({"grader": name, **checks[name]}, response)
    assert found.quality in {0.0, 1.0}
    assert found.rationale.endswith((".", "…'.")), found.rationale


@pytest.mark.parametrize(
    "filler", ["a", "1,", "**", "\\boxed{", "answer is ", "```\n", "(", " ", "{", "- 1 or "]
)
@pytest.mark.parametrize("name", ["exact", "numeric", "choice", "json_schema"])
def test_a_very_long_answer_is_graded_without_a_walk_through_all_its_pairs(name: str, filler: str) -> None:
    checks: dict[str, dict[str, Any]] = {
        "exact": {"answer": "Kenji"},
        "numeric": {"answer": 3},
        "choice": {"answer": "B", "options": CAPITALS},
        "json_schema": {"schema": {"type": "object"}},
    }
    long = filler * (20_000 // len(filler))
    assert quality({"grader": name, **checks[name]}, long) == 0.0
    assert quality({"grader": name, **checks[name]}, long * 6) == 0.0


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({}, "names no `grader`"),
        ({"grader": "magic"}, "names the grader 'magic'"),
        ({"grader": "numeric"}, "missing required field `answer`"),
        ({"grader": "numeric", "answer": "4"}, "`answer`"),
        ({"grader": "numeric", "answer": 4, "tolerance": -1}, "`tolerance`"),
        ({"grader": "exact", "answer": ""}, "empty"),
        ({"grader": "exact", "answr": "x"}, "unknown field `answr`"),
        ({"grader": "choice", "answer": "E", "options": CAPITALS}, "'E'"),
        ({"grader": "choice", "answer": "a", "options": ["a"]}, "fewer than two"),
        ({"grader": "regex", "pattern": "("}, "no regular expression"),
        ({"grader": "json_schema", "schema": {"type": "nope"}}, "no JSON Schema"),
        ({"grader": "json_schema", "schema": {"$ref": "http://schemas.example/a"}}, "no JSON Schema"),
        ({"grader": "code", "function": "1x", "cases": [{"args": [], "result": 1}]}, "`function`"),
        ({"grader": "code", "function": "x", "cases": []}, "`cases`"),
    ],
)
def test_a_check_that_is_none_gets_one_sentence(check: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError) as caught:
        grade(check, "anything")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_grader_knows_to_be_right_gets_full_marks() -> None:
    checks: list[dict[str, Any]] = [
        {"grader": "exact", "answer": "Kenji"},
        {"grader": "numeric", "answer": 2.5},
        PERSON,
        {"grader": "choice", "answer": "B", "options": CAPITALS},
        {"grader": "choice", "answer": "x", "options": ["x", "y"]},
    ]
    for check in checks:
        assert quality(check, grader_of(check).known_right() or "") == 1.0


@pytest.mark.parametrize("huge", ["1" + "0" * 400, "-1" + "0" * 400])
def test_a_number_beyond_every_fraction_is_wrong_and_ends_nothing(huge: str) -> None:
    schema = {"grader": "json_schema", "schema": {"type": "object"}, "answer": {"a": 0.5}}
    assert quality(schema, f'{{"a": {huge}}}') == 0.0
    found = grade({"grader": "numeric", "answer": 3}, f"The answer is {huge[:3]}e999/7")
    assert found.quality == 0.0
    assert len(found.rationale) < 120
    assert len(grade({"grader": "numeric", "answer": 3}, "The answer is 1e999").rationale) < 120
