"""One fact about the world, with its age. A stale fact is unknown, which is neither good nor bad."""

from __future__ import annotations

from msgspec import Struct


class Signal(Struct, frozen=True):
    """`value` in `unit`, read at `at` (unix seconds) from `source`, good for `ttl_s` seconds."""

    name: str
    value: float | None
    unit: str
    at: float
    source: str
    state: str = "unknown"
    ttl_s: float = 30.0
