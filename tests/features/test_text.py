from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from edgewise.domain.requests import Request
from edgewise.features import TextFeatures
from edgewise.features.lexicons import EMOTION, ESCALATION

measure = TextFeatures().measure
REFERENCE_WORDS = {
    "frustrated", "angry", "unacceptable", "manager", "supervisor",
    "complaint", "terrible", "awful", "disgusted", "furious",
}  # fmt: skip


def keywords(prompt: str) -> tuple[float, float]:
    found = measure(prompt)
    return found["emotion_words"], found["escalation_words"]


@pytest.mark.parametrize(
    ("prompt", "emotion", "escalation"),
    [
        ("Can I speak to a manager?", 0, 1),
        ("MANAGERS!", 0, 1),
        ("the manager's answer", 0, 1),
        ("Explain change management and manageress to me", 0, 0),
        ("I'm angry. ANGRY! (Angry)", 1, 0),  # once each, however often it is said
        ("angry,furious;terrible", 3, 0),
        ("'awful' \u201cawful\u201d\u2014disgusted", 2, 0),
        ("hungry anger-management", 0, 0),
        ("This is unacceptable: get your supervisor", 1, 1),
        ("", 0, 0),
    ],
)
def test_only_whole_words_count(prompt: str, emotion: int, escalation: int) -> None:
    assert keywords(prompt) == (emotion, escalation)


def test_the_words_of_the_published_rule_are_all_there() -> None:
    assert REFERENCE_WORDS <= EMOTION | ESCALATION
    assert not EMOTION & ESCALATION


@pytest.mark.parametrize(
    ("prompt", "words", "sentences"),
    [
        ("", 0, 0),
        ("?!", 0, 0),
        ("hello", 1, 1),
        ("Hello there. How are you?", 5, 2),
        ("Wait... what?! No way!", 4, 3),
        ("Pi is 3.14 on example.com today", 8, 1),
        ("\u201cReally?\u201d he said. Yes.", 4, 3),
        ("I don't know it\u2019s fine", 5, 1),
        ("one line\nand its other half", 6, 1),
        ("A title\n\nand a paragraph", 5, 2),
        ("A title.\n\nAnd a paragraph.", 5, 2),
        ("A title.\r\n\r\nAnd a paragraph.\r\nMore", 6, 3),
        ("To do:\n- wash\n- cook\n* sleep", 5, 4),
        ("First.\n- wash.\n- cook.", 3, 3),
        ("  \n\n  spaced out  \n\n ", 2, 1),
        ("a\n\n\n\n\n\n\n\nb", 2, 2),  # never more sentences than words
    ],
)
def test_words_and_sentences(prompt: str, words: int, sentences: int) -> None:
    found = measure(prompt)
    assert (found["words"], found["sentences"]) == (words, sentences)
    assert found["words_per_sentence"] == (words / sentences if sentences else 0.0)


def test_shares_are_of_the_characters() -> None:
    found = measure("x = {1: 23}?")
    assert found["characters"] == 12
    assert found["digit_share"] == 3 / 12
    assert found["code_share"] == 3 / 12  # = { }
    assert found["question_marks"] == 1


@given(st.text())
def test_any_text_has_finite_features(prompt: str) -> None:
    found = measure(prompt)
    assert found["characters"] == len(prompt)
    assert 0.0 <= found["digit_share"] <= 1.0
    assert 0.0 <= found["code_share"] <= 1.0
    assert 0.0 <= found["sentences"] <= found["words"]
    assert found["words_per_sentence"] * found["sentences"] == pytest.approx(found["words"])


@given(st.text(st.characters(codec="ascii"), max_size=300))
def test_case_makes_no_difference(prompt: str) -> None:
    assert measure(prompt.upper()) == measure(prompt.lower())


@given(st.lists(st.sampled_from(sorted(EMOTION | ESCALATION)), max_size=30))
def test_every_listed_word_is_found(words: list[str]) -> None:
    emotion, escalation = keywords(", ".join(words))
    assert emotion == len(set(words) & EMOTION)
    assert escalation == len(set(words) & ESCALATION)


def test_lone_surrogates_are_no_error() -> None:
    assert measure("caf\u00e9 \ud800 angry")["emotion_words"] == 1


def test_a_huge_prompt_is_read_at_both_ends_only() -> None:
    short = TextFeatures(reach=40)
    prompt = "I am angry about this. " + "furious " * 10_000 + "Call your manager now please."
    found = short.measure(prompt)
    assert found["characters"] == len(prompt)
    assert found["words"] < 20
    assert (found["emotion_words"], found["escalation_words"]) == (2, 1)  # angry; furious near the cuts


def test_a_cut_never_makes_a_word() -> None:
    # The cuts fall inside "managerial" and "mismanager": neither half may count.
    head, tail = "We spoke of managerial", "mismanager and so on"
    prompt = head + " x" * 500 + " " + tail
    for reach in range(1, 60):
        found = TextFeatures(reach=reach).measure(prompt)
        assert found["escalation_words"] == 0, reach


def test_unbroken_text_is_read_too() -> None:
    found = TextFeatures(reach=10).measure("x" * 1000)
    assert found["characters"] == 1000
    assert found["words"] == 2


def test_lexicons_can_be_replaced() -> None:
    german = TextFeatures(emotion=["W\u00fctend"], escalation={"Vorgesetzter"})
    found = german.measure("Ich bin W\u00dcTEND, wo ist Ihr Vorgesetzter? angry manager")
    assert (found["emotion_words"], found["escalation_words"]) == (1, 1)


@pytest.mark.parametrize("word", ["fed up", "", "e-mail", "911", "!"])
def test_a_lexicon_takes_single_words_only(word: str) -> None:
    with pytest.raises(ValueError, match="escalation must hold single words"):
        TextFeatures(escalation=[word])


def test_reach_must_be_positive() -> None:
    with pytest.raises(ValueError, match="reach must be at least 1"):
        TextFeatures(reach=0)


@given(strategies.requests)
def test_describe_reads_the_prompt_and_measures_the_conversation(request: Request) -> None:
    features = asyncio.run(TextFeatures().describe(request))
    assert features.version == "text-1"
    assert features.vector is None
    assert features.named.pop("conversation_characters") == len(request.text)
    assert features.named == measure(request.prompt)
