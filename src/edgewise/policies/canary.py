"""A wrapper that lets a new policy decide for a part of the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.decisions import Odds
from edgewise.domain.protocols import Policy
from edgewise.policies.lots import features_of, lot
from edgewise.policies.ranges import share as checked

if TYPE_CHECKING:
    from edgewise.domain.requests import Situation

ARM = "canary"  # in a decision's evidence: 1 where the newcomer decided, 0 where the incumbent did
FAILED = "canary_failed"


class Canary(Struct, frozen=True):
    """`share` (0 to 1) of the sessions follow `newcomer`, the others `incumbent`; a session keeps its side.

    A request without a session is one of its own. The odds are the mixture of both policies, which is what
    each candidate's propensity is before the lot is cast; they are drawn from the side that the lot fell on
    (`Odds.drawn`). So a log of a canary tells of the newcomer as exploration at that rate would. Both are
    asked each time. Where the newcomer fails, the incumbent decides. `salt` makes the lots of one canary
    independent of the next one's. Raises ValueError for a share out of range.
    """

    incumbent: Policy
    newcomer: Policy
    share: float
    salt: str = ""

    def __post_init__(self) -> None:
        checked("share", self.share)

    @property
    def name(self) -> str:
        """What the log calls it: `canary(complexity, bundle:1a2b, 0.1)`."""
        return f"canary({self.incumbent.name}, {self.newcomer.name}, {self.share:g})"

    @property
    def features(self) -> str | None:
        """The version of the features that one of them reads, if any does."""
        return features_of(self.newcomer) or features_of(self.incumbent)

    def odds(self, situation: Situation) -> Odds:
        """The mixture, to be drawn from the side that the session is on."""
        old = self.incumbent.odds(situation)
        try:
            new = self.newcomer.odds(situation)
        except Exception:  # noqa: BLE001 - a policy on trial must not cost a request
            return _marked(old, FAILED, 1.0)
        inside = lot(self.salt, situation.sticky) < self.share
        side = new if inside else old
        mixture = {
            name: self.share * new.by_id[name] + (1.0 - self.share) * p for name, p in old.by_id.items()
        }
        return Odds(
            mixture,
            side.reason,
            side.forecasts,
            {**side.evidence, ARM: float(inside)},
            self.share * new.exploration + (1.0 - self.share) * old.exploration,
            side.by_id if side.drawn is None else side.drawn,
            side.shadow,
        )


def _marked(odds: Odds, mark: str, value: float) -> Odds:
    return Odds(
        odds.by_id,
        odds.reason,
        odds.forecasts,
        {**odds.evidence, mark: value},
        odds.exploration,
        odds.drawn,
        odds.shadow,
    )
