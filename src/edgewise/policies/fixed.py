"""Always the same candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.decisions import Odds

if TYPE_CHECKING:
    from edgewise.domain.requests import Situation


class Fixed(Struct, frozen=True):
    """The candidate with this id, whatever is asked; while it is objected to, the first of the shortlist.

    The reason is `pinned`, or `fallback` for the one that stands in.
    """

    candidate: str

    @property
    def name(self) -> str:
        """What the log calls it, the candidate included."""
        return f"fixed({self.candidate})"

    def odds(self, situation: Situation) -> Odds:
        """All the weight on one candidate."""
        shortlist = situation.shortlist
        for candidate in shortlist.candidates:
            if candidate.id == self.candidate:
                return Odds.certain(candidate, shortlist, reason="pinned")
        return Odds.certain(shortlist.candidates[0], shortlist, reason="fallback")
