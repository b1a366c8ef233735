"""What pages may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.domain.protocols import OutcomeLog
    from edgewise.monitors.history import History
    from edgewise.monitors.production.patrol import Patrol
    from edgewise.outcomes import LogReader
    from edgewise.router import Router
    from edgewise.settings import Settings


@dataclass(frozen=True, slots=True)
class Sources:
    """A running Edgewise, as its pages see it.

    `reader` is the pages' own, so that a long question keeps nobody else waiting. `patrol` has the monitor of
    the traffic and the alerts; None where `[monitor]` is off. `history` is that of the signals.
    """

    settings: Settings
    router: Router
    log: OutcomeLog
    reader: LogReader
    patrol: Patrol | None = None
    history: History | None = None
