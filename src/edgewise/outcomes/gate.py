"""No request is begun that could not be recorded: for `[store] on_failure = "refuse"`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.domain.errors import StoreError

if TYPE_CHECKING:
    from edgewise.domain.requests import Request
    from edgewise.outcomes.sqlite_log import SqliteLog


@dataclass(frozen=True, slots=True)
class Gate:
    """A `Screen` that lets every request pass while `log` can be written."""

    log: SqliteLog

    async def screen(self, request: Request) -> Request:
        """The request as it is. Raises StoreError (503) while the log is in trouble."""
        if self.log.problem is not None:
            raise StoreError(self.log.problem)
        return request
