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
    from collections.abc import Sequence

    from edgewise.domain.candidates import Objection
    from edgewise.domain.decisions import Odds
    from edgewise.domain.requests import Request, Situation

LONGEST = 200  # characters of an error that are kept


class Shadowed(Struct, frozen=True):
    """Follow `incumbent`; on `share` (0 to 1) of the sessions also write down what `newcomer` would choose.

    With `ask` that one is to be asked, too, where `askable` lets it. A request without a session is one of
    its own. The odds are the incumbent's, whatever the newcomer says, and also where it fails. `salt` makes
    the lots of one shadow independent of the next one's. Raises ValueError for a share out of range.
    """

    incumbent: Policy
    newcomer: Policy
    share: float = 1.0
    salt: str = ""
    ask: bool = False

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
            if other.favourite not in situation.shortlist:
                raise ValueError(f"it chose '{other.favourite}', who may not answer")  # noqa: TRY301 - as any failure
            seen = Shadow(
                self.newcomer.name, other.favourite, other.by_id, forecasts=other.forecasts, ask=self.ask
            )
        except Exception as error:  # noqa: BLE001 - who is only watched must not cost a request
            seen = Shadow(self.newcomer.name, error=str(error)[:LONGEST] or type(error).__name__)
        return replace(odds, shadow=seen)


def askable(
    shadow: Shadow | None, chosen: str, request: Request, objections: Sequence[Objection]
) -> Shadow | None:
    """The same shadow; no longer to be asked where that is forbidden or would tell nothing.

    Forbidden: a private request (declared, or found to be by a rule) and one that names its candidate. What
    was chosen anyway has answered already.
    """
    if shadow is None or not shadow.ask:
        return shadow
    private = request.wishes.privacy is not None or any(o.rule == "privacy" for o in objections)
    if private or request.pin is not None or shadow.chosen in (None, chosen):
        return replace(shadow, ask=False)
    return shadow
