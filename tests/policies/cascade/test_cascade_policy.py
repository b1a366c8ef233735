"""Whom a cascade asks first, and when an answer may stand: for labels, for words, and under exploration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies
from tests.learning.synthetic import prompts, write_table

from edgewise.domain.answers import FirstAnswer
from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Odds
from edgewise.domain.labels import Said
from edgewise.domain.requests import Absent, Features, Situation
from edgewise.features import TextFeatures
from edgewise.features.described import describer, version_of
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies import Complexity, Explore, check_policy
from edgewise.policies.bundles import Learned
from edgewise.policies.cascade.placing import OutOfScope, Placing, Promise
from edgewise.policies.cascade.policy import Cascade
from edgewise.policies.cascade.rules import Escalation
from edgewise.policies.holding import FIRM, holding, reading
from edgewise.policies.objectives import Objective
from edgewise.policies.otherwise import Otherwise

SMALL, LARGE = Candidate("small", "edge", "device"), Candidate("large", "cloud", "cloud")
BOTH = Shortlist((SMALL, LARGE))
MEASURE = TextFeatures().measure
GOOD, BAD = "The answer is 42, for certain.", "I am not sure, maybe, perhaps."


def situation(text: str = "hello", **changes) -> Situation:
    return Situation(Features(MEASURE(text), None, "text-1"), BOTH, **changes)


def label(confidence: float, out_of_scope: float | None = None) -> FirstAnswer:
    said = Said("yes", {"yes": confidence, "no": 1.0 - confidence}, out_of_scope)
    return FirstAnswer("small", "yes", "hello", said=said)


def chosen(policy: Cascade, answer: FirstAnswer, text: str = "hello") -> tuple[str, str]:
    odds = policy.forecast(situation(text), answer)
    assert sum(odds.by_id.values()) == 1.0
    assert list(odds.by_id) == ["small", "large"]
    return odds.favourite, odds.reason


@given(strategies.situations, st.sampled_from([0.0, 0.3, 1.0]))
def test_no_cloud_is_asked_first_while_an_edge_may_answer(found: Situation, rate: float) -> None:
    for policy in (Cascade(), Explore(Cascade(), rate)):
        odds = check_policy(policy, found)
        edges = [c.id for c in found.shortlist if c.location == "edge"]
        if edges:
            assert sum(odds.by_id[name] for name in edges) == 1.0
            assert odds.favourite in edges
            assert odds.exploration == 0.0


@given(strategies.situations, st.floats(0.0, 1.0), st.data())
def test_what_comes_after_an_answer_is_sound(found: Situation, rate: float, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from([c.id for c in found.shortlist]))
    answer = data.draw(
        st.builds(FirstAnswer, candidate=st.just(first), text=st.just("words"), prompt=strategies.texts)
    )
    policy = Explore(Cascade(rules=(Escalation("r", ("a",)),)), rate)
    odds, again = policy.forecast(found, answer), policy.forecast(found, answer)
    assert odds == again
    assert list(odds.by_id) == [c.id for c in found.shortlist]
    assert sum(odds.by_id.values()) == pytest.approx(1.0)
    others = [c.id for c in found.shortlist if c.id != first and c.location == "edge"]
    least = 0.0 if FIRM in odds.evidence or len(odds.by_id) == 1 else rate / len(odds.by_id)
    if any(c.location == "cloud" and c.id != first for c in found.shortlist):
        assert min(odds.by_id.values()) == pytest.approx(least, abs=1e-12)
        assert all(odds.by_id[name] == pytest.approx(least, abs=1e-12) for name in others)


def test_a_classifier_of_which_nothing_was_learned_stands_by_its_confidence() -> None:
    assert chosen(Cascade(), label(0.95)) == ("small", "optimal_edge")
    assert chosen(Cascade(), label(0.79)) == ("large", "low_confidence")
    assert chosen(Cascade(confidence=0.5), label(0.79)) == ("small", "optimal_edge")
    assert chosen(Cascade(confidence=0.99), label(0.95)) == ("large", "low_confidence")
    heated = "This is an awful, terrible, horrible thing, and I want it to end today; " * 10
    assert chosen(Cascade(), label(0.95), heated) == ("large", "high_complexity")
    assert chosen(Cascade(Complexity(threshold=1.0)), label(0.95), heated) == ("small", "optimal_edge")
    unknown = FirstAnswer("small", "yes", "hello", said=Said("yes"))  # a chat model that names a label
    assert chosen(Cascade(), unknown) == ("small", "optimal_edge")


def test_the_evidence_is_the_published_score_with_the_edges_own_confidence() -> None:
    evidence = Cascade().forecast(situation("hello there"), label(0.9)).evidence
    published = Complexity().score(Features({**MEASURE("hello there"), "confidence": 0.9}))
    assert {name: evidence[name] for name in published} == published
    assert published["uncertainty"] == pytest.approx(0.2)


def test_what_was_learned_of_a_classifier_decides_about_its_labels() -> None:
    learned = Placing(1, "v1", "fp32", 0.0, {"doubt": 1.0}, 0.3, OutOfScope("energy", 2.0))
    policy = Cascade(placings={"small": learned})
    assert chosen(policy, label(0.75)) == (
        "small",
        "optimal_edge",
    )  # below 0.8, and learned to be good enough
    assert chosen(policy, label(0.65)) == ("large", "low_confidence")
    assert chosen(policy, label(0.99, out_of_scope=2.5)) == ("large", "out_of_scope")
    assert chosen(policy, label(0.99, out_of_scope=1.5)) == ("small", "optimal_edge")
    assert chosen(Cascade(placings={"other": learned}), label(0.75)) == ("large", "low_confidence")
    assert chosen(Cascade(placings={"small": learned}, confidence=0.8), label(0.75))[0] == "large"


def test_a_rule_speaks_before_all_else_and_is_never_explored_away() -> None:
    policy = Explore(Cascade(rules=(Escalation("greeting", ("hello",), ("yes",)),)), 1.0)
    odds = policy.forecast(situation(), label(1.0))
    assert (odds.by_id, odds.reason) == ({"small": 0.0, "large": 1.0}, "high_complexity")
    assert odds.evidence["rule:greeting"] == odds.evidence["escalated"] == 1.0
    assert policy.forecast(situation(), replace(label(1.0), prompt="bye")).exploration == 1.0


def test_a_proven_promise_is_never_explored_away() -> None:
    for proven in (True, False):
        promise = Promise(0.01, 0.95, 1000, 0.001, 0.9, 0.008, proven, "It holds.")
        learned = Placing(1, "v1", "fp32", 0.0, {"doubt": 1.0}, 0.3, promise=promise)
        odds = Explore(Cascade(placings={"small": learned}), 0.5).forecast(situation(), label(0.9))
        assert odds.by_id == ({"small": 1.0, "large": 0.0} if proven else {"small": 0.75, "large": 0.25})


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A bundle that has learned what good answers of the edge look like."""
    table = read_table(write_table(tmp_path_factory.mktemp("table") / "t.csv", 60, responses=True))
    return Learned(learn(table, TrainOptions(Objective("quality-at-cost", 0.05), learner="ridge")).bundle)


def described(text: str) -> Situation:
    vector = describer("static")([text])
    return replace(
        situation(text),
        features=Features(MEASURE(text), vector, "text-1", vector_version=version_of("static")),
    )


def answered(prompt: str, text: str, took_s: float = 0.0) -> FirstAnswer:
    vector = describer("static")([text]) if text else None
    return FirstAnswer("small", text, prompt, vector, took_s)


def test_the_words_decide_once_they_were_read(reads: Learned) -> None:
    policy = Cascade(reads)
    for prompt, _ in prompts(20, seed=7):
        found = described(prompt)
        first = check_policy(policy, found)
        assert (first.favourite, first.reason) == ("small", "optimal_edge")
        good = policy.forecast(found, answered(prompt, GOOD))
        bad = policy.forecast(found, answered(prompt, BAD))
        assert (good.favourite, good.reason) == ("small", "optimal_edge")
        assert (bad.favourite, bad.reason) == ("large", "low_confidence")
        assert good.evidence["answer_read"] == 1.0
        assert good.evidence["quality"] > bad.evidence["quality"] + 0.3
        assert good.forecasts["small"].quality is not None
        unread = policy.forecast(found, answered(prompt, ""))
        assert unread.favourite == reads.odds(found).favourite
        assert unread.reason == ("high_complexity" if unread.favourite == "large" else "optimal_edge")
        assert "answer_read" not in unread.evidence


def test_a_confidence_is_the_least_quality_that_is_forecast(reads: Learned) -> None:
    prompt, _ = prompts(1, seed=7)[0]
    found, answer = described(prompt), answered(prompt, GOOD)
    quality = Cascade(reads).forecast(found, answer).evidence["quality"]
    assert Cascade(reads, confidence=quality).forecast(found, answer).favourite == "small"
    above = Cascade(reads, confidence=float(np.nextafter(quality, 2.0))).forecast(found, answer)
    assert (above.favourite, above.reason) == ("large", "low_confidence")


def test_whoever_is_asked_now_answers_later_by_the_time_that_has_passed(reads: Learned) -> None:
    prompt, _ = prompts(1, seed=7)[0]
    at_once, later = (
        reads.forecast(described(prompt), answered(prompt, GOOD, took_s)).forecasts for took_s in (0.0, 3.0)
    )
    latency = [found["large"].latency_s for found in (at_once, later)]
    assert latency[1].mean == pytest.approx(latency[0].mean + 3.0, rel=1e-5)  # type: ignore[union-attr]  # learned
    assert at_once["small"].latency_s == later["small"].latency_s


def test_without_its_vector_a_bundle_lets_the_rule_of_thumb_decide(reads: Learned) -> None:
    policy = Cascade(Otherwise(reads, Complexity()))
    absent = replace(
        situation(),
        features=Features(MEASURE("hello"), None, "text-1", absent=Absent("late", "It was late.")),
    )
    assert policy.odds(absent).favourite == "small"
    odds = policy.forecast(absent, answered("hello", BAD))
    assert (odds.favourite, odds.evidence["no_vector_late"]) == ("small", 1.0)


def test_which_policies_hold_answers_back(reads: Learned) -> None:
    assert [holding(p) for p in (Cascade(), Explore(Cascade()), reads, Explore(reads), Complexity())] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert [reading(p) for p in (reads, Complexity())] == [True, False]
    assert Explore(Cascade(hold_s=3.0)).hold_s == 3.0
    assert Explore(Complexity()).hold_s is None
    assert isinstance(Explore(Complexity()).forecast(situation(), label(0.5)), Odds)
    assert Cascade(reads).name == f"cascade({reads.name})"
    assert Cascade(reads).features == reads.features


@pytest.mark.parametrize("wrong", [{"confidence": 1.5}, {"confidence": -0.1}, {"hold_s": 0.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Cascade(**wrong)  # type: ignore[arg-type]  # numbers, each for its own field
