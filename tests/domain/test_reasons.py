from __future__ import annotations

from itertools import combinations
from typing import get_args

import pytest

from edgewise.domain.candidates import Candidate, Objection, Rule, Shortlist
from edgewise.domain.decisions import Odds, Reason
from edgewise.domain.reasons import BY_RULE, reason_for
from edgewise.domain.requests import Request, Wishes

A, B, C = (Candidate(name, "edge", "device") for name in "abc")
AUTO, NAMED = Wishes(), Wishes(model="auto:calm")
ODDS = Odds({"a": 0.9, "b": 0.1}, "high_complexity")


def reason(
    *,
    wishes: Wishes = AUTO,
    left: tuple[Candidate, ...] = (A, B),
    rules: tuple[Rule, ...] = (),
    chosen: str = "a",
    odds: Odds = ODDS,
) -> Reason:
    objections = [Objection("x", rule, "No") for rule in rules]
    return reason_for(odds, chosen, Shortlist(left), objections, Request("id", "", "", b"", wishes))


PIN = Wishes(model="a")
TABLE: list[tuple[dict[str, object], Reason]] = [
    # The caller's own choice outweighs everything.
    ({"wishes": PIN, "left": (A,), "rules": ("pin",)}, "pinned"),
    ({"wishes": PIN, "left": (A,), "rules": ()}, "pinned"),
    ({"wishes": PIN, "left": (A,), "rules": ("pin", "capability", "privacy")}, "pinned"),
    # One is left: the rule that removed the others.
    ({"left": (A,), "rules": ()}, "only_candidate"),
    ({"left": (A,), "rules": ("capability",)}, "capability"),
    ({"left": (A,), "rules": ("privacy",)}, "privacy"),
    ({"left": (A,), "rules": ("connectivity",)}, "offline"),
    ({"left": (A,), "rules": ("resources",)}, "overloaded"),
    ({"left": (A,), "rules": ("budget",)}, "budget"),
    ({"left": (A,), "rules": ("latency",)}, "only_candidate"),
    ({"left": (A,), "rules": ("allow",)}, "only_candidate"),
    ({"left": (A,), "rules": ("pin",)}, "only_candidate"),
    ({"left": (A,), "rules": ("allow", "capability")}, "capability"),
    ({"left": (A,), "rules": ("budget", "connectivity", "privacy")}, "privacy"),
    ({"left": (A,), "rules": ("capability", "privacy")}, "privacy"),
    ({"left": (A,), "rules": ("connectivity", "capability")}, "capability"),
    ({"left": (A,), "rules": ("resources", "connectivity")}, "offline"),
    ({"left": (A,), "rules": ("budget", "resources")}, "overloaded"),
    ({"left": (A,), "rules": ("latency", "budget")}, "budget"),
    ({"left": (A,), "rules": ("capability",), "wishes": NAMED}, "capability"),
    # Several are left: objections against others explain nothing.
    ({"rules": ("privacy",)}, "high_complexity"),
    ({}, "high_complexity"),
    ({"wishes": NAMED}, "high_complexity"),
    ({"chosen": "b"}, "explored"),
    ({"chosen": "b", "rules": ("privacy",)}, "explored"),
    ({"left": (A, B, C), "odds": Odds({"a": 0.2, "b": 0.2, "c": 0.6}), "chosen": "c"}, "best_utility"),
    # At a tie the earlier one is the favourite.
    ({"odds": Odds({"a": 0.5, "b": 0.5}, "optimal_edge"), "chosen": "a"}, "optimal_edge"),
    ({"odds": Odds({"a": 0.5, "b": 0.5}, "optimal_edge"), "chosen": "b"}, "explored"),
]


@pytest.mark.parametrize(
    ("own", "score", "rules", "expected"),
    [
        ("high_complexity", 0.1, ("resources",), "overloaded"),
        ("high_complexity", 0.8, ("resources",), "high_complexity"),
        ("optimal_edge", 0.8, ("budget",), "budget"),
        ("optimal_edge", 0.1, ("budget",), "optimal_edge"),
        ("optimal_edge", 0.8, ("connectivity",), "optimal_edge"),
        ("session", 0.8, ("budget",), "session"),
    ],
)
def test_a_prompt_is_not_called_hard_or_easy_where_penalties_tipped_it(
    own: Reason, score: float, rules: tuple[Rule, ...], expected: Reason
) -> None:
    evidence = {"score": score, "threshold": 0.75, "penalties": 1.0}
    odds = Odds({"a": 1.0, "b": 0.0}, own, evidence=evidence)
    soft = [Objection("b", rule, "It is strained", 1.0) for rule in rules]
    asked = Request("id", "", "", b"", AUTO)
    assert reason_for(odds, "a", Shortlist((A, B)), soft, asked) == expected
    hard = [Objection("x", rule, "No") for rule in rules]
    assert reason_for(odds, "a", Shortlist((A, B)), hard, asked) == own


@pytest.mark.parametrize(("case", "expected"), TABLE)
def test_the_truth_table(case: dict[str, object], expected: Reason) -> None:
    assert reason(**case) == expected  # type: ignore[arg-type]


def test_every_rule_has_a_reason() -> None:
    assert set(BY_RULE) == set(get_args(Rule))
    assert set(BY_RULE.values()) <= set(get_args(Reason))


@pytest.mark.parametrize(("first", "second"), list(combinations(BY_RULE, 2)))
def test_of_two_rules_the_earlier_one_speaks_whatever_the_order(first: Rule, second: Rule) -> None:
    assert reason(left=(A,), rules=(first, second)) == BY_RULE[first]
    assert reason(left=(A,), rules=(second, first)) == BY_RULE[first]
