"""A conversation is read as its last question, turned a little by what came before."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.domain.requests import Turn
from edgewise.features import TextFeatures
from edgewise.features.conversations import prompt_of, turns_in, written
from edgewise.features.described import TALK, describer, version_of
from edgewise.features.parts import ALONE, HEAVIEST, NAMES, parts_of, parts_of_turns
from edgewise.features.serving import VectorFeatures
from edgewise.gateway.chat_body import chat_of, parse_chat

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80)
SAID = TEXTS.filter(str.strip)
TURNS = st.lists(
    st.builds(Turn, st.sampled_from(["system", "user", "assistant", "tool"]), SAID), min_size=1, max_size=12
)
QUESTION = "How do I add a column to a table in SQL?"
TALKED = (
    Turn("system", "You are a pirate."),
    Turn("user", "Tell me of the sea."),
    Turn("assistant", "The sea is deep and blue."),
    Turn("tool", '{"rows": [1, 2]}'),
    Turn("user", QUESTION),
)


def same(one: object, other: object) -> None:
    for name in ("vectors", "statistics", "terms", "bounds"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("version", [version_of("static"), version_of("static") + TALK])
@settings(max_examples=60, deadline=None)
@given(prompt=SAID)
def test_one_message_is_served_exactly_as_its_prompt_was_learned(version: str, prompt: str) -> None:
    """Bit for bit: what training made of the table's cell is what serving makes of the request."""
    served = asyncio.run(VectorFeatures(TextFeatures(), version).describe(chat_of(prompt)))
    same(served.vector, describer(version)([prompt_of(prompt)]))
    same(served.vector, describer(version)([written([Turn("user", prompt)])]))
    assert served.vector_version == version


@settings(max_examples=60, deadline=None)
@given(turns=TURNS)
def test_a_conversation_is_served_exactly_as_it_was_learned(turns: list[Turn]) -> None:
    version = version_of("static") + TALK
    body = json.dumps({"messages": [{"role": turn.role, "content": turn.text} for turn in turns]})
    served = asyncio.run(VectorFeatures(TextFeatures(), version).describe(parse_chat(body.encode(), {})))
    if len(turns) > 1:
        same(served.vector, describer(version)([written(turns)]))
    assert len(served.vector.statistics[0]) == 24 + len(NAMES)


@settings(max_examples=100, deadline=None)
@given(turns=TURNS)
def test_the_written_form_reads_back(turns: list[Turn]) -> None:
    form = written(turns)
    if len(turns) == 1 and turns[0].role == "user":
        assert form == turns[0].text
    else:
        assert turns_in(form) == tuple(turns)
        assert prompt_of(json.loads(form)) == prompt_of(form) == form


@settings(max_examples=60, deadline=None)
@given(turns=TURNS, question=st.sampled_from([QUESTION, "Why?", "Write a poem about the sea."]))
def test_the_last_question_dominates(turns: list[Turn], question: str) -> None:
    """However much is said before, the vector stays near the question's own."""
    parts = parts_of_turns([*turns, Turn("user", question)])
    assert parts.main == question
    assert sum(weight for _, weight in parts.context) < HEAVIEST
    describe = describer("static")
    whole, alone = describe.of([parts]).vectors[0], describe([question]).vectors[0]
    assert float(whole @ alone) > (1 - HEAVIEST**2) ** 0.5
    assert float(whole @ whole) == pytest.approx(1, abs=1e-5)


def test_what_came_before_counts_too_and_the_nearer_the_more() -> None:
    describe = describer("static")
    sea, sql = describe(["Tell me of the deep blue sea.", QUESTION]).vectors
    near = describe.of([parts_of_turns(TALKED)]).vectors[0]
    assert float(near @ sea) > float(sql @ sea)
    far = [TALKED[1], *[Turn("user", "Add the numbers of this table.")] * 4, TALKED[-1]]
    assert float(describe.of([parts_of_turns(far)]).vectors[0] @ sea) < float(near @ sea)


def test_statistics_and_terms_are_those_of_the_question() -> None:
    talked, alone = (describer("static" + TALK)([text]) for text in (written(TALKED), QUESTION))
    np.testing.assert_array_equal(talked.terms, alone.terms)
    np.testing.assert_array_equal(talked.statistics[:, :24], alone.statistics[:, :24])
    said = dict(zip(NAMES, talked.statistics[0, 24:].tolist(), strict=True))
    total = sum(len(turn.text) for turn in TALKED)
    assert said["log_turns"] == pytest.approx(np.log1p(5))
    assert said["tool_share"] == pytest.approx(len(TALKED[3].text) / total)
    assert said["system_share"] == pytest.approx(len(TALKED[0].text) / total)
    assert 0 < said["context_code_share"] < 0.2
    assert alone.statistics[0, 24:].tolist() == pytest.approx(ALONE)


def test_a_table_of_plain_prompts_keeps_the_plain_version() -> None:
    assert version_of("static", [QUESTION, "[1, 2]"]) == version_of("static")
    assert version_of("static", [QUESTION, written(TALKED)]) == version_of("static") + TALK
    assert version_of(version_of("static"), [written(TALKED)]) == version_of("static")  # it was chosen before


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]", "[]", "[{", '[{"role": "user"}]', '[{"role": "king", "content": "x"}]',
        '[{"content": "x"}]',
        '[{"role": "user", "content": " "}]', '[{"role": "user", "content": 1}]', '[{"a": "\ud800"}]',
        "[{" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_a_prompt_like_any_other(text: str) -> None:
    assert turns_in(text) == ()
    assert prompt_of(text) == text
    assert parts_of(text).main == text


def test_parts_of_a_message_are_joined_and_calls_left_out() -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "c"},
    ]
    assert turns_in(json.dumps(messages)) == (Turn("user", "a\nb"), Turn("tool", "c"))


def test_a_conversation_without_a_user_is_all_question() -> None:
    assert parts_of_turns([Turn("system", "a"), Turn("assistant", "b")]).main == "a\nb"


def test_a_long_conversation_costs_no_more_than_its_end() -> None:
    turns = [Turn("user", f"{number} " * 4000) for number in range(300)]
    parts = parts_of_turns(turns)
    assert len(parts.texts) == 7
    assert max(len(text) for text, _ in parts.context) <= 4001
