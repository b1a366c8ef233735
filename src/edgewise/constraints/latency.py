"""A deadline that cannot be met is not tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Latency(Struct, frozen=True):
    """No candidate that lately took longer than the request's deadline, its queue counted in.

    Reads `latency_s:ID` (smoothed whole answers) and `queue_wait_s:ID`. `deadline_s` is the default where a
    request brings none.
    """

    deadline_s: float | None = None

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate that is too slow for the deadline."""
        deadline = request.wishes.deadline_s or self.deadline_s
        if deadline is None:
            return None
        lately = signals.get(f"latency_s:{candidate.id}")
        if lately is None or lately.value is None:
            return None
        queue = signals.get(f"queue_wait_s:{candidate.id}")
        expected = lately.value + (queue.value or 0.0 if queue is not None else 0.0)
        if expected <= deadline:
            return None
        return Objection(
            candidate.id, "latency", f"It lately took {expected:.3g} s, and the deadline is {deadline:.3g} s"
        )
