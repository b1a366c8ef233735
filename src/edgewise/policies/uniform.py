"""The baseline that knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.decisions import Odds

if TYPE_CHECKING:
    from edgewise.domain.requests import Situation


class Uniform(Struct, frozen=True):
    """Even odds for everybody on the shortlist: in the configuration, the kind `random`."""

    @property
    def name(self) -> str:
        """What the log and the configuration call it."""
        return "random"

    def odds(self, situation: Situation) -> Odds:
        """The same weight on every candidate, all of it exploration."""
        return Odds.even(situation.shortlist)
