"""The trace that a request came with."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

# The header `traceparent` of the request that is being answered, as W3C's Trace Context spells it.
PARENT: Final[ContextVar[str | None]] = ContextVar("edgewise_traceparent", default=None)
