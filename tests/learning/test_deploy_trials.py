"""Shadow and canary: what they may change, and what the log may believe."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests import strategies

from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Odds, draw
from edgewise.domain.ids import mint
from edgewise.domain.requests import Features, Situation
from edgewise.policies import Explore, Fixed, Uniform
from edgewise.policies.canary import ARM, FAILED, Canary
from edgewise.policies.checks import check_policy
from edgewise.policies.lots import lot
from edgewise.policies.shadow import Shadowed

SHORTLIST = Shortlist(tuple(Candidate(name, "cloud", "cloud") for name in ("old", "new", "third")))
SITUATION = Situation(Features({}), SHORTLIST)
OLD, NEW = Fixed("old"), Fixed("new")
plain = st.one_of(st.builds(Uniform), st.builds(Fixed, strategies.ids))
explored = st.one_of(plain, st.builds(Explore, plain, strategies.shares))
canaries = st.builds(Canary, explored, explored, strategies.shares, st.text(max_size=5))
shadows = st.builds(Shadowed, explored, explored, strategies.shares, st.text(max_size=5))
sticky = st.builds(lambda situation, name: replace(situation, sticky=name), strategies.situations, st.text())


class Broken:
    name = "broken"

    def odds(self, situation: Situation) -> Odds:
        del situation
        raise RuntimeError("no such matrix")


def at(name: str) -> Situation:
    return replace(SITUATION, sticky=name)


@given(st.one_of(canaries, shadows, st.builds(Explore, canaries, strategies.shares)), sticky)
def test_both_keep_to_the_contract(policy: Canary | Shadowed | Explore, situation: Situation) -> None:
    odds = check_policy(policy, situation)
    if odds.drawn is not None:
        assert list(odds.drawn) == list(odds.by_id)
        assert sum(odds.drawn.values()) == pytest.approx(1.0)


@given(shadows, sticky)
def test_a_shadow_never_changes_the_odds(policy: Shadowed, situation: Situation) -> None:
    odds = policy.odds(situation)
    assert replace(odds, shadow=None) == policy.incumbent.odds(situation)
    if odds.shadow is not None:
        assert odds.shadow.odds == policy.newcomer.odds(situation).by_id


@given(canaries, sticky)
def test_a_canarys_odds_are_the_mixture_and_its_draw_is_from_one_side(
    policy: Canary, situation: Situation
) -> None:
    odds = policy.odds(situation)
    old, new = policy.incumbent.odds(situation), policy.newcomer.odds(situation)
    for name, p in odds.by_id.items():
        assert p == pytest.approx(policy.share * new.by_id[name] + (1 - policy.share) * old.by_id[name])
    assert odds.drawn == (new if odds.evidence[ARM] else old).by_id


def test_what_is_drawn_over_many_requests_has_the_propensity_that_is_logged() -> None:
    policy = Explore(Canary(OLD, NEW, 0.25, "v2"), 0.2)
    drawn: Counter[str] = Counter()
    expected: dict[str, float] = {}
    for _ in range(20_000):
        request_id = mint()
        odds = policy.odds(at(request_id))
        drawn[draw(odds, request_id)] += 1
        expected = odds.by_id
    for name, p in expected.items():  # 5 standard errors of a binomial share are at most .018
        assert drawn[name] / 20_000 == pytest.approx(p, abs=0.018)
    assert expected["new"] == pytest.approx(0.8 * 0.25 + 0.2 / 3)


def test_a_session_keeps_its_side_and_the_share_is_kept() -> None:
    policy = Canary(OLD, NEW, 0.3, "v2")
    sides = {f"session {n}": policy.odds(at(f"session {n}")).evidence[ARM] for n in range(5000)}
    assert sum(sides.values()) / 5000 == pytest.approx(0.3, abs=0.033)  # 5 standard errors
    for name in list(sides)[:100]:
        odds = policy.odds(at(name))
        assert odds.evidence[ARM] == sides[name]
        assert {draw(odds, mint()) for _ in range(20)} == {"new" if sides[name] else "old"}


def test_the_next_canary_draws_other_sessions() -> None:
    names = [f"session {n}" for n in range(4000)]
    both = sum(lot("v2", name) < 0.5 and lot("v3", name) < 0.5 for name in names)
    assert both / 4000 == pytest.approx(0.25, abs=0.035)


@pytest.mark.parametrize(("share", "side"), [(0.0, "old"), (1.0, "new")])
def test_shares_at_the_ends(share: float, side: str) -> None:
    for _ in range(200):
        request_id = mint()
        assert draw(Canary(OLD, NEW, share).odds(at(request_id)), request_id) == side
        seen = Shadowed(OLD, NEW, share).odds(at(request_id)).shadow
        assert (seen is None) == (share == 0.0)


def test_a_newcomer_that_fails_costs_nobody_an_answer() -> None:
    canary = Canary(OLD, Broken(), 1.0).odds(at("s"))
    assert canary.by_id["old"] == 1.0
    assert canary.drawn is None
    assert canary.evidence == {FAILED: 1.0}
    shadow = Shadowed(OLD, Broken(), 1.0).odds(at("s"))
    assert shadow.by_id["old"] == 1.0
    assert shadow.shadow is not None
    assert (shadow.shadow.chosen, shadow.shadow.error) == (None, "no such matrix")


@pytest.mark.parametrize("kind", [Canary, Shadowed])
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(kind: type[Canary | Shadowed], share: float) -> None:
    with pytest.raises(ValueError, match="share is"):
        kind(OLD, NEW, share)
