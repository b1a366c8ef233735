from __future__ import annotations

from typing import Any

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.policies import KINDS, Complexity, Fixed, Uniform, make

OPTIONS = (
    "threshold, length_weight, syntax_weight, emotion_weight, uncertainty_weight, length_characters, "
    "sentence_words, keyword_matches"
)


def test_every_kind_can_be_made() -> None:
    assert make("complexity") == Complexity()
    assert make("complexity", options={"threshold": 0.5, "sentence_words": 20}) == Complexity(
        threshold=0.5, sentence_words=20
    )
    assert make("fixed", candidate="phi") == Fixed("phi")
    assert make("random", options={}) == Uniform()
    assert KINDS == ("complexity", "edge-first", "fixed", "random", "tiers")


@pytest.mark.parametrize(
    ("kind", "more", "sentence"),
    [
        (
            "fixd",
            {},
            "policy.kind is 'fixd'; expected one of complexity, edge-first, fixed, random, tiers "
            "(did you mean fixed?).",
        ),
        ("zzz", {}, "policy.kind is 'zzz'; expected one of complexity, edge-first, fixed, random, tiers."),
        ("fixed", {}, "policy.candidate is missing; expected it beside kind = 'fixed'."),
        ("fixed", {"candidate": ""}, "policy.candidate is missing; expected it beside kind = 'fixed'."),
        (
            "random",
            {"candidate": "phi"},
            "policy.candidate has no effect; expected it only beside kind = 'fixed'.",
        ),
        ("random", {"options": {"seed": 1}}, "policy.options.seed is no option; kind = 'random' has none."),
        (
            "fixed",
            {"candidate": "phi", "options": {"id": 1}},
            "policy.options.id is no option; kind = 'fixed' has none.",
        ),
        (
            "complexity",
            {"options": {"threshold": 2}},
            "policy.options.threshold is 2; expected a number from 0 to 1.",
        ),
        (
            "complexity",
            {"options": {"sentence_words": "many"}},
            "policy.options.sentence_words is 'many'; expected a number above 0.",
        ),
        (
            "complexity",
            {"options": {"treshold": 0.5}},
            f"policy.options.treshold is no option; expected one of {OPTIONS} (did you mean threshold?).",
        ),
    ],
)
def test_what_cannot_be_made_gets_one_sentence(kind: str, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        make(kind, **more)
    assert str(refused.value) == sentence


def test_the_sentence_names_the_section() -> None:
    with pytest.raises(SettingsError, match=r"^policies\.calm\.options\.threshold is -1; "):
        make("complexity", options={"threshold": -1}, section="policies.calm")
