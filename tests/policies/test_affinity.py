"""A session stays where it is unless leaving pays, and the odds say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Estimate, Forecast, Odds
from edgewise.domain.requests import Features, Situation
from edgewise.policies import Complexity, Explore, Uniform, settled
from edgewise.policies.affinity import CLEARLY, Affinity
from edgewise.policies.checks import check_policy

PAIR = Shortlist((Candidate("a", "edge", "device"), Candidate("b", "cloud", "cloud")))
FEATURES = Features({}, None, "text-1")


class Says:
    """A policy that gives the odds it was made with."""

    name = "says"

    def __init__(self, odds: Odds) -> None:
        self.said = odds

    def odds(self, situation: Situation) -> Odds:
        del situation
        return self.said


def forecasting(a: float, b: float) -> Says:
    """Utilities of two candidates; all the odds on the higher one."""
    utilities = {"a": a, "b": b}
    best = max(utilities, key=utilities.__getitem__)
    forecasts = {name: Forecast(utility=Estimate(u, u, u)) for name, u in utilities.items()}
    return Says(Odds({n: float(n == best) for n in utilities}, "best_utility", forecasts))


def after(previous: str | None, **more: bool) -> Situation:
    return Situation(FEATURES, PAIR, previous=previous, in_tool_loop=more.get("in_tool_loop", False))


@pytest.mark.parametrize(
    ("gain", "chosen", "reason"),
    [(0.04, "a", "session"), (0.06, "b", "best_utility"), (-0.5, "a", "best_utility")],
)
def test_a_switch_must_pay(gain: float, chosen: str, reason: str) -> None:
    odds = Affinity(forecasting(1.0, 1.0 + gain), margin=0.05).odds(after("a"))
    assert (odds.favourite, odds.by_id[chosen], odds.reason) == (chosen, 1.0, reason)


def test_what_held_it_back_is_evidence() -> None:
    odds = Affinity(forecasting(1.0, 1.04), margin=0.05).odds(after("a"))
    assert odds.evidence == {"switch_gain": pytest.approx(0.04), "switch_margin": 0.05}
    assert set(odds.forecasts) == {"a", "b"}


def test_penalties_count_as_utility() -> None:
    penalised = replace(after("a"), shortlist=Shortlist(PAIR.candidates, {"b": 0.5}))
    inner = forecasting(1.0, 1.4)
    assert Affinity(inner).odds(penalised).favourite == "a"
    assert Affinity(inner).odds(after("a")).favourite == "b"


def test_a_tool_loop_never_flips() -> None:
    policy = Affinity(forecasting(0.0, 100.0))
    assert policy.odds(after("a", in_tool_loop=True)).by_id == {"a": 1.0, "b": 0.0}
    assert policy.odds(after("a", in_tool_loop=True)).reason == "session"
    assert policy.odds(after("a")).favourite == "b"


def test_a_tool_loop_goes_on_elsewhere_where_its_candidate_is_out() -> None:
    inner = forecasting(0.0, 100.0)
    assert Affinity(inner).odds(after("gone", in_tool_loop=True)) == inner.said


@pytest.mark.parametrize(("likeliest", "chosen"), [(0.74, "a"), (0.76, "b"), (1.0, "b")])
def test_without_forecasts_the_odds_must_say_so_clearly(likeliest: float, chosen: str) -> None:
    assert CLEARLY == 0.5
    inner = Says(Odds({"a": 1.0 - likeliest, "b": likeliest}, "explored", exploration=0.3))
    odds = Affinity(inner).odds(after("a"))
    assert odds.favourite == chosen
    if chosen == "a":
        assert (odds.by_id, odds.reason, odds.exploration) == ({"a": 1.0, "b": 0.0}, "session", 0.0)
    else:
        assert odds == inner.said


def test_even_odds_stay() -> None:
    assert Affinity(Uniform()).odds(after("b")).by_id == {"a": 0.0, "b": 1.0}


def test_a_canarys_lot_cannot_flip_a_session() -> None:
    inner = Says(Odds({"a": 0.9, "b": 0.1}, drawn={"a": 0.0, "b": 1.0}))
    assert Affinity(inner).odds(after("a")).drawn is None


@given(
    strategies.situations.flatmap(
        lambda s: st.builds(
            lambda previous, loop: replace(s, previous=previous, in_tool_loop=loop),
            st.sampled_from([None, "gone", *[c.id for c in s.shortlist]]),
            st.booleans(),
        )
    ),
    strategies.amounts,
)
def test_it_keeps_to_the_contract_of_policies(situation: Situation, margin: float) -> None:
    for inner in (Uniform(), Complexity()):
        policy = Affinity(inner, margin)
        odds = check_policy(policy, situation)
        if situation.previous is None:
            assert odds == inner.odds(situation)
        if situation.in_tool_loop and situation.previous in situation.shortlist:
            assert odds.favourite == situation.previous


def test_it_goes_by_the_inner_name_and_settles() -> None:
    policy = Explore(Affinity(Uniform()), 0.1)
    assert policy.name == "explore(random, 0.1)"
    assert settled(policy) == Affinity(Uniform())


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
def test_a_margin_is_a_weight(margin: float) -> None:
    with pytest.raises(ValueError, match="switch_margin"):
        Affinity(Uniform(), margin)
