"""A wrapper that watches what a new policy would do, and never does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.decisions import Shadow
from edgewise.domain.protocols import Policy
from edgewise.policies.lots import features_of, lot
from edgewise.policies.ranges import share as checked

if TYPE_CHECKING:
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Situation

LONGEST = 200  # characters of an error that are kept


class Shadowed(Struct, frozen=True):
    """Follow `incumbent`; on `share` (0 to 1) of the sessions also write down what `newcomer` would choose.

    A request without a session is one of its own. The odds are the incumbent's, whatever the newcomer
    says, and also where it fails. `salt` makes the lots of one shadow independent of the next one's. Raises
    ValueError for a share out of range.
    """

    incumbent: Policy
    newcomer: Policy
    share: float = 1.0
    salt: str = ""

    def __post_init__(self) -> None:
        checked("share", self.share)

    @property
    def name(self) -> str:
        """What the log calls it: `shadow(complexity, bundle:1a2b, 0.1)`."""
        return f"shadow({self.incumbent.name}, {self.newcomer.name}, {self.share:g})"

    @property
    def features(self) -> str | None:
        """The version of the features that one of them reads, if any does."""
        return features_of(self.newcomer) or features_of(self.incumbent)

    def odds(self, situation: Situation) -> Odds:
        """The incumbent's odds, with the newcomer's beside them where the lot says so."""
        odds = self.incumbent.odds(situation)
        if lot(self.salt, situation.sticky) >= self.share:
            return odds
        try:
            other = self.newcomer.odds(situation)
            seen = Shadow(self.newcomer.name, other.favourite, other.by_id)
        except Exception as error:  # noqa: BLE001 - who is only watched must not cost a request
            seen = Shadow(self.newcomer.name, error=str(error)[:LONGEST] or type(error).__name__)
        return replace(odds, shadow=seen)
