"""A counter of joules, divided among the calls that were under way while it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.domain.energy import EnergyBasis


class Ticket:
    """One call's part so far, in joules; None once the counter could not be read. Dropped, it is out."""

    __slots__ = ("__weakref__", "joules")

    def __init__(self) -> None:
        self.joules: float | None = 0.0


class Share:
    """Reads the counter when a call begins or ends, and divides what it moved by in even parts.

    The parts of all calls add up to what was counted while any was under way. A counter that goes back (its
    process was started anew) counts as one that stood. Belongs to one event loop.
    """

    def __init__(self, read: Callable[[], float | None], basis: EnergyBasis) -> None:
        self._read = read
        self.basis: EnergyBasis = basis
        self._under_way: WeakSet[Ticket] = WeakSet()
        self._last: float | None = None

    def begin(self) -> Ticket:
        """A call begins."""
        self._settle()
        ticket = Ticket()
        self._under_way.add(ticket)
        return ticket

    def end(self, ticket: Ticket) -> float | None:
        """A call has ended: its joules; None where they could not be read throughout."""
        self._settle()
        self._under_way.discard(ticket)
        return ticket.joules

    def _settle(self) -> None:
        now, last = self._read(), self._last
        self._last = now
        calls = list(self._under_way)
        for ticket in calls:
            if now is None or last is None or ticket.joules is None:
                ticket.joules = None
            else:
                ticket.joules += max(0.0, now - last) / len(calls)
