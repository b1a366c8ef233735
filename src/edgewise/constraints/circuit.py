"""Who keeps failing is left alone for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Circuit(Struct, frozen=True):
    """No candidate whose circuit is open, as long as somebody else is left.

    Reads `breaker:ID`: the seconds that the circuit stays open. It is the only rule that gives way where it
    alone would leave nobody (see `shortlist`): the last candidate is never ejected.
    """

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate whose last calls failed."""
        del request
        signal = signals.get(f"breaker:{candidate.id}")
        if signal is None or signal.state != "critical":
            return None
        return Objection(
            candidate.id,
            "connectivity",
            f"Its last calls failed; it is left alone for {signal.value or 0:.3g} s",
        )
