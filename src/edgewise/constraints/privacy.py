"""What must not leave this machine, or a region, stays there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection
from edgewise.domain.privacy import LOCAL, permits, promise_of

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Privacy(Struct, frozen=True):
    """A `local` request may be answered only by whom we trust as `device`, one for a region only there.

    It does not matter whether that was declared or found. What the configuration blocks nobody may answer.
    Neither a pin nor a list of candidates overrides it: it fails closed.
    """

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to every candidate that the text would leave its place for."""
        del signals
        if request.findings:
            blocked = _found(request, "block")
            if blocked:
                return Objection(
                    candidate.id, "privacy", f"The request holds what is blocked (found by {blocked})"
                )
        privacy = promise_of(request)
        if privacy is None or permits(privacy, candidate):
            return None
        return Objection(candidate.id, "privacy", _sentence(request, privacy, candidate))


def _sentence(request: Request, privacy: str, candidate: Candidate) -> str:
    if privacy != LOCAL:
        regions = privacy.replace("region:", "").replace(",", " and ")
        where = f"in '{candidate.region}'" if candidate.region else "in no region that we know of"
        return f"The request must stay in {regions}, and '{candidate.id}' is {where}"
    found = _found(request, "local")
    why = f"held local (found by {found})" if found else "declared local"
    where = "in a cloud" if candidate.trust == "cloud" else "on another machine of the site"
    return f"The request is {why}, and '{candidate.id}' is {where}"


def _found(request: Request, action: str) -> str:
    """The rules that found something to treat like this, never what they found."""
    rules = dict.fromkeys(f"'{found.rule}'" for found in request.findings if found.action == action)
    return ", ".join(rules)
