"""Near before far: whoever is at the edge, and somebody else only where nobody there may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.decisions import Odds

if TYPE_CHECKING:
    from edgewise.domain.requests import Situation


class EdgeFirst(Struct, frozen=True):
    """The first edge candidate of the shortlist (of those with the smallest penalty), or else the first."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        return "edge-first"

    def odds(self, situation: Situation) -> Odds:
        """All the weight on one candidate."""
        shortlist = situation.shortlist
        edge = shortlist.at("edge")
        if edge is not None:
            return Odds.certain(edge, shortlist, reason="optimal_edge")
        return Odds.certain(shortlist.at("cloud") or shortlist.candidates[0], shortlist)
