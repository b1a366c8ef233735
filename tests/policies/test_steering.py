"""Targets, and thresholds that reach the innermost policies through every wrapper."""

from __future__ import annotations

import pytest
from msgspec import Struct

from edgewise.domain.decisions import Odds
from edgewise.domain.protocols import Policy
from edgewise.domain.requests import Situation
from edgewise.policies import Explore, Fixed
from edgewise.policies.canary import Canary
from edgewise.policies.shadow import Shadowed
from edgewise.policies.steering import BONUS, GAIN, GOAL, LEVEL, Steer, Target, rewrapped, steerable


class Leaning(Struct, frozen=True):
    name: str = "leaning"
    steer: Steer | None = None

    def odds(self, situation: Situation) -> Odds:
        return Odds.even(situation.shortlist)

    def steered(self, steer: Steer | None) -> Leaning:
        return Leaning(self.name, steer)


def test_what_is_aimed_at() -> None:
    assert (Target(cloud_share=0.0).goal, Target(usd_per_1k=0.5).goal, Target().goal) == (0.0, 0.5, None)


def test_the_record_says_it_all() -> None:
    evidence = Steer(bonus=-0.1, level=0.25, goal=0.2).evidence(0.05)
    assert evidence == {GAIN: 0.05, BONUS: -0.1, LEVEL: 0.25, GOAL: 0.2}


def test_only_some_policies_lean() -> None:
    assert steerable(Leaning())
    assert not steerable(Fixed("a"))


@pytest.mark.parametrize(
    ("policy", "paths"),
    [
        (Leaning(), [()]),
        (Explore(Leaning()), [("inner",)]),
        (
            Explore(Canary(Leaning("a"), Leaning("b"), 0.1, "x")),
            [("inner", "incumbent"), ("inner", "newcomer")],
        ),
        (Shadowed(Fixed("a"), Leaning("b"), 0.5, "x"), [("incumbent",), ("newcomer",)]),
    ],
)
def test_every_wrapper_stays_as_it_was(policy: Policy, paths: list[tuple[str, ...]]) -> None:
    seen: list[tuple[str, ...]] = []

    def lean(inner: Policy, path: tuple[str, ...]) -> Policy:
        seen.append(path)
        return inner.steered(Steer(1.0, 0.5, 0.5)) if steerable(inner) else inner

    found = rewrapped(policy, lean)
    assert seen == paths
    assert found.name == policy.name
    assert found != policy
    assert rewrapped(found, lambda inner, _: inner.steered(None) if steerable(inner) else inner) == policy
