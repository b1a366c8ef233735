from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME

from edgewise.domain.candidates import Objection
from edgewise.domain.decisions import Attempt, Estimate, Forecast, Reason
from edgewise.domain.stories import Story
from edgewise.outcomes.explain import WHY, explain
from edgewise.outcomes.plain import KEPT, plain, plain_json, shortened

GOLDEN = Path(__file__).parent.parent / "golden"
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202eevil\u2066 \x00\x7f\r\nFORGED LINE \U000e0041\u2028end"
STORIES = st.builds(
    lambda d, o, f: Story(decision=d, outcome=o, feedback=tuple(f)),
    strategies.decisions(),
    st.none() | strategies.outcomes,
    st.lists(strategies.feedback, max_size=2),
)


def test_a_whole_story() -> None:
    story = Story(decision=DECISION, outcome=OUTCOME, feedback=(FEEDBACK,))
    assert explain(story, zone=UTC) + "\n" == (GOLDEN / "explained.txt").read_text()


def test_a_story_of_failure_and_simulation() -> None:
    decision = replace(
        DECISION,
        chosen="far",
        location="cloud",
        reason="explored",
        propensity=0.01,
        odds={"near": 0.99, "far": 0.01},
        shortlist=("near", "far"),
        forecasts={"near": Forecast(quality=Estimate(0.8, 0.7, 0.9), latency_s=Estimate(0.5, 0.1, 2.0))},
        evidence={},
        session="s-1",
        privacy="local",
        stream=True,
        simulated=True,
        prompt=None,
        prompt_hash="ab" * 32,
    )
    first = Attempt(
        candidate="far", status="error", started_s=0.0, latency_s=0.03, http_status=503, error="Busy."
    )
    outcome = replace(
        OUTCOME,
        candidate="far",
        status="incomplete",
        attempts=(first, replace(first, started_s=0.05, http_status=None, status="incomplete", error=None)),
        error="The stream broke.",
        input_tokens=None,
        cost_state="estimated",
        response=None,
    )
    told = explain(Story(decision=decision, outcome=outcome), zone=UTC)
    assert told + "\n" == (GOLDEN / "explained_failure.txt").read_text()


def test_what_was_found_is_told_from_what_was_declared() -> None:
    found = replace(
        DECISION, privacy="local", evidence={"length": 0.4, "found:card": 1.0, "found:email": 2.0}
    )
    told = explain(Story(decision=found))
    assert "Found in the request, by the rules for what is private: card, email (2 times)." in told
    assert "The prompt was held to 'local'." in told
    assert "declared" not in told
    assert "found:" not in told
    declared = explain(Story(decision=replace(DECISION, privacy="region:eu")))
    assert "The prompt was declared 'region:eu', by the request, its key or its session." in declared


def test_what_was_known_of_the_world_is_told() -> None:
    known = {"queue_full:near": 1.0, "cpu": 0.3512, "memory_free": 23534510080.0, "rtt_s:near": 0.00056}
    told = explain(Story(decision=replace(DECISION, signals=known)))
    assert "What was known of the world:\n   this machine: cpu 0.351, memory_free 23,534,510,080\n" in told
    assert "   near: queue_full 1, rtt_s 0.00056\n" in told


def test_who_was_not_asked_had_no_tokens() -> None:
    nobody = replace(OUTCOME, status="error", attempts=(), error="It was not asked.", response=None)
    soft = (Objection("smollm2-135m", "connectivity", "Its last calls failed", 0.0),)
    told = explain(Story(decision=replace(DECISION, objections=soft), outcome=nobody))
    assert "Nobody was asked, and nothing was spent." in told
    assert "Tokens" not in told
    assert "Its last calls failed (connectivity), which gave way, as nobody else was left." in told


def test_a_decision_that_nobody_carried_out() -> None:
    certain = replace(DECISION, shortlist=("smollm2-135m",), odds={"smollm2-135m": 1.0}, prompt=None)
    told = explain(Story(decision=certain))
    assert "No outcome is recorded" in told
    assert "certain to be chosen (propensity 1)" in told
    assert "The prompt's text was not kept." in told


def test_every_reason_has_a_sentence() -> None:
    assert set(WHY) == set(get_args(Reason))


@pytest.mark.parametrize(
    "story",
    [
        Story(decision=replace(DECISION, prompt=HOSTILE, session=HOSTILE, model=HOSTILE), outcome=OUTCOME),
        Story(decision=replace(DECISION, objections=(Objection(HOSTILE, "pin", HOSTILE),)), outcome=OUTCOME),
        Story(decision=DECISION, outcome=replace(OUTCOME, error=HOSTILE, response=HOSTILE)),
        Story(
            decision=DECISION,
            outcome=replace(
                OUTCOME, attempts=(replace(OUTCOME.attempts[0], error=HOSTILE, candidate=HOSTILE),)
            ),
        ),
        Story(decision=DECISION, feedback=(replace(FEEDBACK, comment=HOSTILE, source=HOSTILE),)),
    ],
)
def test_no_stored_text_reaches_the_terminal_alive(story: Story) -> None:
    told = explain(story)
    assert harmless(told)
    assert r"\x1b[2J\x1b]0;owned\x07" in told
    assert r"\u202eevil" in told
    assert not any(line.startswith("FORGED") for line in told.splitlines())


@given(STORIES)
def test_any_story_is_told_and_does_no_harm(story: Story) -> None:
    told = explain(story)
    assert harmless(told)
    assert plain(story.decision.chosen) in told


@given(st.text(st.characters()))
def test_plain_text_is_one_harmless_line(text: str) -> None:
    assert harmless(plain(text))
    assert "\n" not in plain(text)
    assert plain(plain(text)) == plain(text)
    assert len(shortened(text, 10)) <= 10 * len(r"\U000e0041") + len("… (0000 characters)")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_plain_json_is_the_same_json(text: str) -> None:
    encoded = json.dumps({"text": text}, ensure_ascii=False)
    assert json.loads(plain_json(encoded)) == {"text": text}
    assert all(c.isprintable() or c == "\n" for c in plain_json(encoded))


def test_writing_of_the_world_stays_as_it_is() -> None:
    for text in ("Grüße", "你好", "नमस्ते", "שלום", "👩\u200d💻", "a\u200cb"):
        assert plain(text) == text


def harmless(text: str) -> bool:
    return all(c.isprintable() or c in KEPT or c == "\n" for c in text)


def test_what_counts_against_somebody_is_not_told_as_excluding_him() -> None:
    against = (
        Objection("blind", "capability", "It takes no images"),
        Objection("blind", "resources", "This machine's CPU is constrained (92%)", 0.2),
        Objection("smollm2-135m", "resources", "This machine's CPU is constrained (92%)", 0.2),
    )
    told = explain(Story(decision=replace(DECISION, objections=against), outcome=OUTCOME))
    assert (
        "Not eligible:\n   blind: It takes no images (capability).\nHeld against:\n   smollm2-135m: " in told
    )
    assert "This machine's CPU is constrained (92%) (resources), 0.2 of utility.\nWhat counted" in told


def test_nobody_asked_costs_nothing_and_says_nothing_of_tokens() -> None:
    refused = replace(DECISION, chosen="", shortlist=(), odds={})
    nothing = replace(OUTCOME, status="error", candidate="", attempts=(), error="No.", response=None)
    told = explain(Story(decision=refused, outcome=nothing))
    assert "Nobody was asked" in told
    assert "What went wrong: No." in told
    assert "Tokens" not in told


def test_what_is_held_against_the_edge_is_added_to_the_score() -> None:
    evidence = {"score": 0.6, "threshold": 0.75, "penalties": 0.2}
    told = explain(Story(decision=replace(DECISION, evidence=evidence)))
    assert "score 0.60 and +0.20 for what is held against the edge or the cloud, above the threshold" in told
