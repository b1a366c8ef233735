"""Four tiers: small and large at the edge, small and large in the cloud."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from tests import strategies

from edgewise.domain.candidates import Candidate, Objection, Shortlist
from edgewise.domain.errors import SettingsError
from edgewise.domain.requests import Features, Request, Situation
from edgewise.features import TextFeatures
from edgewise.policies import Complexity, Tiers, check_policy, make

TIERS = (
    Candidate("phi", "edge", "device"),
    Candidate("llama2", "edge", "device"),
    Candidate("gpt-3.5-turbo", "cloud", "cloud"),
    Candidate("gpt-4", "cloud", "cloud"),
)


def features(score: float) -> Features:
    """Features whose score is just that."""
    words = {"emotion_words": 3.0 * score, "escalation_words": 0.0}
    return Features({"characters": 200.0 * score, "words_per_sentence": 15.0 * score, **words})


def chosen(score: float, penalties: dict[str, float] | None = None) -> str:
    soft = [Objection(name, "resources", "Busy", lost) for name, lost in (penalties or {}).items()]
    return Tiers().odds(Situation(features(score), Shortlist.of(TIERS, soft))).favourite


@given(strategies.situations)
def test_it_keeps_to_the_contract_of_policies(situation: Situation) -> None:
    check_policy(Tiers(), situation)


@pytest.mark.parametrize(
    ("score", "tier"),
    [(0.0, 0), (0.2, 0), (0.25, 1), (0.49, 1), (0.5, 2), (0.74, 2), (0.75, 3), (1.0, 3)],
)
def test_the_score_is_cut_into_as_many_parts_as_there_are_tiers(score: float, tier: int) -> None:
    assert chosen(score) == TIERS[tier].id


def test_an_easy_prompt_stands_low_and_a_hard_one_high() -> None:
    def who(prompt: str) -> str:
        found = asyncio.run(TextFeatures().describe(Request("req", prompt, prompt, b"")))
        return Tiers().odds(Situation(found, Shortlist(TIERS))).favourite

    assert who("What is the capital of France?") == "phi"
    assert who(
        "Analyze the implications of quantum computing on modern cryptography, including potential "
        "vulnerabilities in RSA and elliptic curve systems."
    ) in ("gpt-3.5-turbo", "gpt-4")


def test_a_penalised_tier_gives_way_to_a_neighbour() -> None:
    assert chosen(0.3) == "llama2"
    assert chosen(0.3, {"llama2": 1.0}) == "gpt-3.5-turbo", "the one above first"
    assert chosen(0.3, {"llama2": 0.1}) == "llama2", "too little to move for"
    assert chosen(0.9, {"gpt-3.5-turbo": 100.0, "gpt-4": 100.0}) == "llama2"


def test_the_configuration_names_it_with_the_options_of_complexity() -> None:
    assert make("tiers", options={"length_characters": 400}) == Tiers(
        complexity=Complexity(length_characters=400)
    )
    with pytest.raises(SettingsError, match=r"policy\.options\.steps is no option"):
        make("tiers", options={"steps": 3})
