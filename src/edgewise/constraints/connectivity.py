"""Nobody is asked who cannot be reached."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from edgewise.domain.addresses import is_loopback
from edgewise.domain.candidates import Objection

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


class Connectivity(Struct, frozen=True):
    """No candidate across the network while there is none, and none whose own endpoint is out of reach.

    Reads `link` (the system has a network) and `online:ID` (this endpoint answers). A degraded endpoint
    costs `degraded_penalty` of utility. What nobody knows is no reason to object.
    """

    degraded_penalty: float = 0.2

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        """Object to a candidate that cannot be reached, softly to one that hardly can."""
        del request
        link = signals.get("link")
        if link is not None and link.state == "critical" and needs_link(candidate.endpoint):
            return Objection(candidate.id, "connectivity", "This machine has no network")
        own = signals.get(f"online:{candidate.id}")
        if own is None or own.state in ("unknown", "normal"):
            return None
        if own.state == "critical":
            return Objection(candidate.id, "connectivity", "Its endpoint cannot be reached")
        return Objection(
            candidate.id, "connectivity", "The way to its endpoint is slow or lossy", self.degraded_penalty
        )


@lru_cache(maxsize=1024)
def needs_link(endpoint: str) -> bool:
    """Whether the way to `endpoint` (a URL, or "" for what runs in this process) leaves this machine."""
    host = urlsplit(endpoint).hostname
    return host is not None and not is_loopback(host)
