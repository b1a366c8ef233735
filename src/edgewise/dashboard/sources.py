"""What pages may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.domain.protocols import OutcomeLog
    from edgewise.monitors.history import History
    from edgewise.monitors.production.patrol import Patrol
    from edgewise.outcomes import LogReader
    from edgewise.router import Router
    from edgewise.settings import Settings
    from edgewise.settings.versions import Change


class Aims(Protocol):
    """What changes the objective in force, on the event loop, and for good."""

    @property
    def latest(self) -> Change | None:
        """The change that would be undone."""
        ...

    async def apply(self, spelling: str) -> None:
        """Go by the objective of this spelling. Raises EdgewiseError, and then nothing has changed."""
        ...

    async def undo(self) -> None:
        """Go by what held before the latest change. Raises EdgewiseError."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """A running Edgewise, as its pages see it.

    `reader` is the pages' own, so that a long question keeps nobody else waiting. `patrol` has the monitor of
    the traffic and the alerts; None where `[monitor]` is off. `history` is that of the signals. `aim` changes
    the objective in `configuration`; None where there is no such file.
    """

    settings: Settings
    router: Router
    log: OutcomeLog
    reader: LogReader
    patrol: Patrol | None = None
    history: History | None = None
    aim: Aims | None = None
    configuration: Path | None = None
