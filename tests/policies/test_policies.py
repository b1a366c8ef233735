"""The laws that every policy keeps, over whatever situation hypothesis can think of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Forecast, Odds
from edgewise.domain.protocols import Policy
from edgewise.domain.requests import Features, Situation
from edgewise.policies import KINDS, Complexity, Explore, Fixed, Tiers, Uniform, settled
from edgewise.policies.checks import check_policy
from edgewise.policies.edge_first import EdgeFirst

weights = st.floats(0.0, 10.0)
scales = st.floats(0.01, 1e4)
complexities = st.builds(
    Complexity,
    threshold=strategies.shares,
    length_weight=st.floats(0.01, 10.0),
    syntax_weight=weights,
    emotion_weight=weights,
    uncertainty_weight=weights,
    length_characters=scales,
    sentence_words=scales,
    keyword_matches=scales,
)
plain: st.SearchStrategy[Policy] = st.one_of(
    complexities, st.builds(Uniform), st.builds(Fixed, strategies.ids), st.sampled_from(["a", "b"]).map(Fixed)
)
explored = st.builds(Explore, plain, strategies.shares)
policies = st.one_of(plain, explored, st.builds(Explore, explored, strategies.shares))

PAIR = Shortlist((Candidate("a", "edge", "device"), Candidate("b", "cloud", "cloud")))
CALM = Features(
    {"characters": 20.0, "words_per_sentence": 4.0, "emotion_words": 0.0, "escalation_words": 0.0},
    None,
    "text-1",
)


@given(policies, strategies.situations)
def test_every_policy_keeps_to_the_contract(policy: Policy, situation: Situation) -> None:
    check_policy(policy, situation)


@given(plain, strategies.shares, strategies.situations)
def test_exploration_reaches_everyone(policy: Policy, rate: float, situation: Situation) -> None:
    inner = policy.odds(situation)
    odds = Explore(policy, rate).odds(situation)
    floor = rate / len(situation.shortlist)
    assert all(p >= floor - 1e-12 for p in odds.by_id.values())
    for name, p in odds.by_id.items():  # and the rest is still the inner policy's
        assert p == pytest.approx((1 - rate) * inner.by_id[name] + floor)
    assert odds.reason == inner.reason
    assert odds.evidence == inner.evidence


@given(plain, strategies.situations)
def test_a_rate_of_zero_changes_nothing(policy: Policy, situation: Situation) -> None:
    assert Explore(policy, 0.0).odds(situation) == policy.odds(situation)


@given(plain, strategies.shares, strategies.shares)
def test_settled_takes_every_wrapper_off(policy: Policy, outer: float, inner: float) -> None:
    assert settled(Explore(Explore(policy, inner), outer)) is policy
    assert settled(policy) is policy


def test_with_one_candidate_there_is_nothing_to_explore() -> None:
    alone = Situation(CALM, Shortlist(PAIR.candidates[:1]))
    odds = Explore(Complexity(), 0.5).odds(alone)
    assert odds.by_id == {"a": 1.0}
    assert odds.exploration == 0.0


def test_exploration_is_recorded() -> None:
    odds = Explore(Complexity(), 0.02).odds(Situation(CALM, PAIR))
    assert odds.by_id == {"a": 0.99, "b": 0.01}
    assert odds.exploration == 0.02
    assert odds.reason == "optimal_edge"


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), True, "0.1"])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate is .*; expected a number from 0 to 1"):
        Explore(Uniform(), rate)


def test_random_gives_everybody_the_same() -> None:
    odds = Uniform().odds(Situation(CALM, PAIR))
    assert odds.by_id == {"a": 0.5, "b": 0.5}
    assert odds.exploration == 1.0


def test_fixed_takes_its_candidate_and_stands_in_for_one_that_is_not_there() -> None:
    situation = Situation(CALM, PAIR)
    there = Fixed("b").odds(situation)
    assert (there.by_id, there.reason) == ({"a": 0.0, "b": 1.0}, "pinned")
    gone = Fixed("c").odds(situation)
    assert (gone.by_id, gone.reason) == ({"a": 1.0, "b": 0.0}, "fallback")


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (Complexity(), "complexity"),
        (Uniform(), "random"),
        (Fixed("phi"), "fixed(phi)"),
        (Explore(Complexity()), "explore(complexity, 0.02)"),
        (Explore(Fixed("phi"), 0.5), "explore(fixed(phi), 0.5)"),
    ],
)
def test_names(policy: Policy, name: str) -> None:
    assert policy.name == name


def test_plain_policies_are_named_after_their_kind() -> None:
    made = (Complexity(), Uniform(), Fixed("phi"), Tiers(), EdgeFirst())
    assert {policy.name.partition("(")[0] for policy in made} == set(KINDS)


class Scripted:
    """A policy that gives the odds it is told to, one after the other."""

    def __init__(self, *script: Odds, name: str = "scripted") -> None:
        self.name = name
        self.script = script
        self.calls = 0

    def odds(self, situation: Situation) -> Odds:
        del situation
        self.calls += 1
        return self.script[(self.calls - 1) % len(self.script)]


class Meddler(Scripted):
    """A policy that writes into what it is given."""

    def odds(self, situation: Situation) -> Odds:
        situation.features.named["characters"] = 0.0
        return super().odds(situation)


A, B = Odds({"a": 1.0, "b": 0.0}), Odds({"a": 0.0, "b": 1.0})


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        (Scripted(Odds({"b": 1.0, "a": 0.0})), "the shortlist is"),
        (Scripted(Odds({"a": 1.0})), "the shortlist is"),
        (Scripted(Odds({"a": 1.0, "b": 0.0, "c": 0.0})), "the shortlist is"),
        (Scripted(A, B), "for one situation"),
        (Scripted(A, name=""), "needs a name"),
        (Scripted(Odds(A.by_id, "whim")), "not in the set"),  # type: ignore[arg-type]
        (Scripted(Odds(A.by_id, forecasts={"c": Forecast()})), "forecasts for"),
        (Scripted(Odds(A.by_id, evidence={"score": float("inf")})), "no number"),
        (Scripted(Odds(A.by_id, exploration=1.5)), "explores"),
        (Meddler(A), "changed the situation"),
    ],
)
def test_the_check_finds_what_is_wrong(policy: Policy, complaint: str) -> None:
    named = dict(CALM.named)
    with pytest.raises(AssertionError, match=complaint):
        check_policy(policy, Situation(Features(named, None, "text-1"), PAIR))


def test_the_check_sees_into_vectors() -> None:
    class Scaler(Scripted):
        def odds(self, situation: Situation) -> Odds:
            situation.features.vector[0] = 1
            return super().odds(situation)

    features = Features(dict(CALM.named), bytearray(2000), "text-1")
    with pytest.raises(AssertionError, match="changed the situation"):
        check_policy(Scaler(A), Situation(features, PAIR))
    assert check_policy(Scripted(A), Situation(features, PAIR)) == A
