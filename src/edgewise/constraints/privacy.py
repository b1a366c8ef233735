"""What the caller declared local stays on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Privacy(Struct, frozen=True):
    """A request declared `local` may be answered only by candidates whose trust is `device`.

    Neither a pin nor a list of candidates overrides it: it fails closed.
    """

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to every candidate that the text would leave this machine for."""
        del signals
        if request.wishes.privacy is None or candidate.trust == "device":
            return None
        where = "in a cloud" if candidate.trust == "cloud" else "on another machine of the site"
        return Objection(
            candidate.id, "privacy", f"The request is declared local, and '{candidate.id}' is {where}"
        )
