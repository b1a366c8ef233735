"""What is checked of `[execution]`."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.schema import ExecutionSettings

TIMES = ("connect_s", "first_token_s", "idle_s", "try_s", "total_s")
MOST_RETRIES = 5


def complaints(execution: ExecutionSettings) -> Iterator[Complaint]:
    """Everything in this section that cannot be run."""
    if not 0 <= execution.retries <= MOST_RETRIES:
        yield expected("execution.retries", execution.retries, f"a number from 0 to {MOST_RETRIES}")
    if not 0.0 <= execution.retry_share <= 1.0:
        yield expected("execution.retry_share", execution.retry_share, "a number from 0 to 1")
    for name in TIMES:
        seconds: float = getattr(execution, name)
        if not 0.0 < seconds < inf:
            yield expected(f"execution.{name}", seconds, "a number of seconds above 0")
    after_s = execution.hedge_after_s
    if after_s is not None and not 0.0 <= after_s < inf:
        yield expected("execution.hedge_after_s", after_s, "a number of seconds, 0 or more")
    if after_s is not None and not execution.hedge:
        yield Complaint("execution.hedge_after_s", "has no effect", "expected it only beside hedge = true")
