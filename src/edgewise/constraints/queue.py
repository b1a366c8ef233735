"""Nobody is sent to the end of a line that is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Queue(Struct, frozen=True):
    """Reads `queue_full:ID`, which is critical while no further request may wait for the candidate.

    The penalty is enough to go elsewhere wherever that is possible. It is no refusal: where nobody else is
    left, the candidate's own line says when to try again. A request of high priority may still get in.
    """

    penalty: float = 100.0

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate for which too many wait."""
        if not signals or request.wishes.priority == "high":
            return None
        signal = signals.get(f"queue_full:{candidate.id}")
        if signal is None or signal.state != "critical":
            return None
        return Objection(candidate.id, "resources", "As many wait for it as may wait", self.penalty)
