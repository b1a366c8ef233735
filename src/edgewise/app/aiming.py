"""The objective of a running Edgewise: changed in its configuration, in force at once, and undone alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from edgewise.domain.objectives import NUMBERS, Objective, objective_of
from edgewise.domain.places import home
from edgewise.settings.versions import Versions

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.app.app import App
    from edgewise.settings.versions import Change

TABLE = "objective"
FOLDER = "configurations"


class Aim:
    """What a page's handle moves: the objective in `file`, and the one in force."""

    def __init__(self, app: App, file: Path) -> None:
        self._app = app
        self._versions = Versions(file, home() / FOLDER)
        self._lock = asyncio.Lock()  # two at once would each undo the other's

    @property
    def latest(self) -> Change | None:
        """The change that would be undone. Raises SettingsError where the changes cannot be read."""
        return self._versions.latest

    async def apply(self, spelling: str) -> None:
        """Go by the objective that is spelled `NAME` or `NAME:NUMBER`, from now on and after a restart.

        Raises SettingsError, or BundleError where a bundle forecasts too little for it: nothing changes then.
        """
        objective = objective_of(spelling)
        values: dict[str, Any] = dict.fromkeys(("weight", "floor", "cloud_share", "usd_per_1k"))
        values |= {"name": objective.name} | _number(objective)
        async with self._lock:
            how = f"objective {objective.spelling}"
            settings = await asyncio.to_thread(self._versions.apply, TABLE, values, how)
            try:
                await self._app.aim(settings.objective)
            except BaseException:
                await asyncio.to_thread(self._versions.undo)
                raise

    async def undo(self) -> None:
        """Go by what the configuration said before the latest change. Raises SettingsError."""
        async with self._lock:
            settings = await asyncio.to_thread(self._versions.undo)
            await self._app.aim(settings.objective)


def _number(objective: Objective) -> dict[str, float]:
    field = NUMBERS.get(objective.name)
    return {} if field is None else {field: getattr(objective, field)}
