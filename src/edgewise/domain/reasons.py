"""Why the chosen one was chosen, in one word of the closed set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.candidates import Objection, Rule, Shortlist
    from edgewise.domain.decisions import Odds, Reason
    from edgewise.domain.requests import Request

HALF = 0.5  # more than that is the likeliest without a look at the others
TIE = 1e-9  # a score this near to the threshold is not above it
# The promise first, then what cannot be done at all, then what cannot be done now.
BY_RULE: dict[Rule, Reason] = {
    "privacy": "privacy",
    "capability": "capability",
    "connectivity": "offline",
    "resources": "overloaded",
    "budget": "budget",
    "latency": "only_candidate",
    "allow": "only_candidate",
    "pin": "only_candidate",
}
# A slow link counts as well, but "offline" would say too much.
TIPPING: tuple[Rule, ...] = ("resources", "budget")


def reason_for(
    odds: Odds, chosen: str, shortlist: Shortlist, objections: Iterable[Objection], request: Request
) -> Reason:
    """The decision's reason. The first that applies:

    1. `pinned`: the caller named the candidate.
    2. One candidate is left: the reason of the rule that removed the others (of several rules, the first
       in the order of `BY_RULE`), or `only_candidate` where no rule did.
    3. `explored`: the draw fell on another than the likeliest candidate.
    4. A rule of thumb that would have gone elsewhere, had nothing been held against that place: `overloaded`
       or `budget`, by the rule that held it.
    5. The policy's own reason.
    """
    if request.pin is not None:
        return "pinned"
    if len(shortlist) == 1:
        rules = {objection.rule for objection in objections if objection.penalty is None}
        for rule, reason in BY_RULE.items():
            if rule in rules:
                return reason
        return "only_candidate"
    if odds.by_id[chosen] <= HALF and chosen != odds.favourite:
        return "explored"
    return (_tipped(chosen, objections) if _is_tipped(odds) else None) or odds.reason


def _is_tipped(odds: Odds) -> bool:
    """Whether the rule of thumb says what its score alone, without the penalties, does not."""
    score, threshold = odds.evidence.get("score"), odds.evidence.get("threshold")
    if "penalties" not in odds.evidence or score is None or threshold is None:
        return False
    if odds.reason == "high_complexity":
        return score <= threshold
    return odds.reason == "optimal_edge" and score > threshold + TIE


def _tipped(chosen: str, objections: Iterable[Objection]) -> Reason | None:
    rules = {o.rule for o in objections if o.penalty is not None and o.candidate != chosen}
    return next((BY_RULE[rule] for rule in TIPPING if rule in rules), None)
