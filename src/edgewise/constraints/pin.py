"""The caller's own choice of candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Pin(Struct, frozen=True):
    """Only the candidate that `model` names (rule `pin`), and only those that the caller allows (`allow`)."""

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to every candidate that the caller did not ask for."""
        del signals
        wishes = request.wishes
        if wishes.model != "auto":
            pin = request.pin
            if pin is not None and pin != candidate.id:
                return Objection(candidate.id, "pin", f"The request is pinned to '{pin}'")
        allowed = wishes.candidates
        if allowed is not None and candidate.id not in allowed:
            listed = ", ".join(f"'{name}'" for name in allowed) or "none"
            return Objection(candidate.id, "allow", f"The request allows only these candidates: {listed}")
        return None
