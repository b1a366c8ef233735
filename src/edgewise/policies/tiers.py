"""Tiers: the harder the prompt, the further up the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from edgewise.domain.decisions import TOLERANCE, Odds
from edgewise.policies.complexity import Complexity

if TYPE_CHECKING:
    from edgewise.domain.decisions import Reason
    from edgewise.domain.requests import Situation


class Tiers(Struct, frozen=True, kw_only=True):
    """Candidates in the order of the configuration, from small and cheap to large and dear.

    The score of `complexity` (0 to 1) is cut into as many equal parts as the shortlist has candidates; the
    part that the prompt falls into is its tier. What soft constraints hold against a candidate is added to
    its distance from that tier, in parts: a tier that is penalised enough gives way to a neighbour, the one
    above first.
    """

    complexity: Complexity = field(default_factory=Complexity)

    @property
    def name(self) -> str:
        """What the log calls it."""
        return "tiers"

    def odds(self, situation: Situation) -> Odds:
        """All the weight on one tier; the evidence holds the score, and the tier that it asks for."""
        shortlist = situation.shortlist
        evidence = self.complexity.score(situation.features)
        evidence.pop("threshold", None)
        count = len(shortlist)
        tier = min(int(evidence["score"] * count + TOLERANCE), count - 1)
        evidence["tier"] = float(tier)
        candidates = shortlist.candidates
        best = min(
            range(count),
            key=lambda place: (abs(place - tier) / count + shortlist.penalty(candidates[place]), -place),
        )
        choice = candidates[best]
        reason: Reason = "optimal_edge" if choice.location == "edge" else "high_complexity"
        return Odds.certain(choice, shortlist, reason=reason, evidence=evidence)
