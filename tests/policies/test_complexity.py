from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from tests import strategies

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.errors import SettingsError
from edgewise.domain.requests import Features, Request, Situation
from edgewise.features import TextFeatures
from edgewise.policies import Complexity

EDGE, CLOUD = Candidate("phi", "edge", "device"), Candidate("gpt", "cloud", "cloud")
BOTH = Shortlist((EDGE, CLOUD))

HEATED = (
    "I am furious: this is unacceptable, my order has been lost twice and nobody in your company has "
    "answered a single one of my letters since the beginning of March, so let me speak to a supervisor."
)


def features(
    characters: float = 0, sentence: float = 0, emotion: float = 0, escalation: float = 0, **more: float
) -> Features:
    return Features(
        {
            "characters": characters,
            "words_per_sentence": sentence,
            "emotion_words": emotion,
            "escalation_words": escalation,
            **more,
        },
        None,
        "text-1",
    )


def read(prompt: str) -> Features:
    return asyncio.run(TextFeatures().describe(Request("req", prompt, prompt, b"")))


@pytest.mark.parametrize(
    ("given_features", "score"),
    [
        (features(), 0.0),
        (features(characters=100), 0.3 / 0.8 / 2),
        (features(characters=200), 0.3 / 0.8),
        (features(characters=20_000), 0.3 / 0.8),
        (features(sentence=7.5), 0.3 / 0.8 / 2),
        (features(sentence=30), 0.3 / 0.8),
        (features(emotion=1), 0.2 / 0.8 / 3),
        (features(emotion=1, escalation=1), 0.2 / 0.8 * 2 / 3),
        (features(escalation=3), 0.2 / 0.8),
        (features(emotion=9, escalation=9), 0.2 / 0.8),
        (features(200, 15, 3), 1.0),
        # With a confidence the published weights stand as they are.
        (features(200, 15, 3, confidence=0.5), 1.0),
        (features(200, 15, 3, confidence=1.0), 0.8),
        (features(200, 15, 0, confidence=0.95), 0.6 + 0.2 * 0.1),
        (features(confidence=0.5), 0.2),
    ],
)
def test_the_score_by_hand(given_features: Features, score: float) -> None:
    assert Complexity().score(given_features)["score"] == pytest.approx(score)


def test_the_evidence_holds_every_factor() -> None:
    evidence = Complexity().odds(Situation(features(100, 3, 1, 1, confidence=0.75), BOTH)).evidence
    assert evidence == pytest.approx(
        {
            "length": 0.5,
            "syntax": 0.2,
            "emotion": 2 / 3,
            "uncertainty": 0.5,
            "score": 0.3 * 0.5 + 0.3 * 0.2 + 0.2 * 2 / 3 + 0.2 * 0.5,
            "threshold": 0.75,
        }
    )
    assert "uncertainty" not in Complexity().score(features())


@pytest.mark.parametrize(
    ("prompt", "chosen", "reason"),
    [
        ("What is the capital of France?", "phi", "optimal_edge"),
        (
            HEATED,
            "gpt",
            "high_complexity",
        ),
        # Long and plain saturates length and structure: together they reach the threshold, not more.
        (
            "The quick brown fox jumps over the lazy dog and then runs away from it again " * 20,
            "phi",
            "optimal_edge",
        ),
        # One heated word tips it.
        (
            "The quick brown fox jumps over the awful dog and then runs away from it again " * 20,
            "gpt",
            "high_complexity",
        ),
    ],
)
def test_prompts(prompt: str, chosen: str, reason: str) -> None:
    odds = Complexity().odds(Situation(read(prompt), BOTH))
    assert (odds.favourite, odds.reason) == (chosen, reason)
    assert odds.by_id[chosen] == 1.0


@pytest.mark.parametrize(
    ("length", "syntax", "emotion"), [(0.3, 0.3, 0.2), (0.01, 0.14, 0.05), (0.02, 0.28, 0.1), (3, 3, 2)]
)
def test_a_tie_with_the_threshold_stays_at_the_edge_though_rounding_breaks_it(
    length: float, syntax: float, emotion: float
) -> None:
    rule = Complexity(length_weight=length, syntax_weight=syntax, emotion_weight=emotion)
    odds = rule.odds(Situation(features(500, 40), BOTH))  # three quarters of the weight, exactly
    assert odds.evidence["score"] == pytest.approx(0.75)
    assert odds.reason == "optimal_edge"


@given(strategies.features)
def test_one_more_heated_word_never_lowers_the_score(given_features: Features) -> None:
    named = given_features.named
    hotter = Features({**named, "emotion_words": named["emotion_words"] + 1}, None, "text-1")
    rule = Complexity()
    assert rule.score(hotter)["score"] >= rule.score(given_features)["score"]


@given(strategies.features)
def test_the_score_is_a_share(given_features: Features) -> None:
    assert 0.0 <= Complexity().score(given_features)["score"] <= 1.0 + 1e-9


def test_the_first_candidate_at_each_place_is_taken() -> None:
    more = Shortlist((CLOUD, EDGE, Candidate("phi-2", "edge", "site"), Candidate("gpt-2", "cloud", "cloud")))
    assert Complexity().odds(Situation(features(), more)).favourite == "phi"
    assert Complexity().odds(Situation(features(200, 15, 3), more)).favourite == "gpt"


@pytest.mark.parametrize(
    ("left", "heat", "chosen", "reason"),
    [
        ((EDGE,), 0, "phi", "optimal_edge"),
        ((EDGE,), 3, "phi", "only_candidate"),
        ((CLOUD,), 0, "gpt", "only_candidate"),
        ((CLOUD,), 3, "gpt", "high_complexity"),
    ],
)
def test_where_one_place_is_left_the_choice_is_that(
    left: tuple[Candidate, ...], heat: int, chosen: str, reason: str
) -> None:
    odds = Complexity().odds(Situation(features(200, 15, heat), Shortlist(left)))
    assert (odds.favourite, odds.reason) == (chosen, reason)


def test_a_lower_threshold_sends_more_to_the_cloud() -> None:
    saturated = Situation(features(500, 40), BOTH)
    assert Complexity(threshold=0.7).odds(saturated).favourite == "gpt"
    assert Complexity(threshold=1.0).odds(saturated).favourite == "phi"


@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf"), True, "0.3", None])
@pytest.mark.parametrize("name", Complexity.__struct_fields__)
def test_every_option_is_checked(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is .*; expected a number"):
        Complexity(**{name: value})


@pytest.mark.parametrize("name", ["length_characters", "sentence_words", "keyword_matches"])
def test_what_is_divided_by_is_above_zero(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is 0; expected a number above 0"):
        Complexity(**{name: 0})


def test_some_factor_must_weigh() -> None:
    with pytest.raises(ValueError, match="all 0"):
        Complexity(length_weight=0, syntax_weight=0, emotion_weight=0)
    assert Complexity(length_weight=0, syntax_weight=0).score(features(emotion=3))["score"] == 1.0


def test_other_features_are_refused_in_a_sentence() -> None:
    with pytest.raises(
        SettingsError, match=r"needs the text features, and 'characters' is not among .* 'minilm-1'"
    ):
        Complexity().odds(Situation(Features({}, None, "minilm-1"), BOTH))
