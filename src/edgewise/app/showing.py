"""The dashboard of a running Edgewise, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.app.aiming import Aim
from edgewise.monitors.history import History
from edgewise.outcomes import LogReader

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.app.app import App
    from edgewise.dashboard import Dashboard
    from edgewise.monitors.production.patrol import Patrol


def dashboard_for(app: App, patrol: Patrol | None, file: Path | None = None) -> Dashboard | None:
    """The pages; None where `[server] dashboard` turns them off. They read the log by a way of their own.

    `file` is the configuration that they may change.
    """
    if not app.settings.server.dashboard:
        return None
    from edgewise.dashboard import Dashboard, Sources  # noqa: PLC0415 - it loads only where it is shown

    reader = LogReader(app.log_path)
    history = History(app.router.signals)
    history.open()
    aim = None if file is None else Aim(app, file)
    return Dashboard(Sources(app.settings, app.router, app.log, reader, patrol, history, aim, file))
