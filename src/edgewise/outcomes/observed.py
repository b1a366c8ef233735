"""A log that somebody watches."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import OutcomeLog

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observed:
    """Append to `inner`, and show each record to `observer`, which can slow the log down but not break it."""

    inner: OutcomeLog
    observer: Callable[[Record], None]

    def append(self, *records: Record) -> Awaitable[None]:
        """Hand the records on, then show them: what is shown is on its way to the disk, not yet there."""
        written = self.inner.append(*records)
        for record in records:
            try:
                self.observer(record)
            except Exception:
                logger.exception("The observer of the outcome log failed on a %s", type(record).__name__)
        return written
