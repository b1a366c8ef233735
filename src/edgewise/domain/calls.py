"""One call to a candidate, as the one who made it saw it: where connectivity is learned for nothing."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

# `unreachable` and `timeout` speak of the way to the endpoint, `failing` of the endpoint (5xx), `limited` of
# our share of it (429). What the endpoint says of a request (4xx) is no failure of either.
Fault = Literal["unreachable", "timeout", "failing", "limited"]


class Call(Struct, frozen=True):
    """How long one call to `candidate` took to its first byte, in seconds, or what became of it."""

    candidate: str
    first_byte_s: float | None = None
    fault: Fault | None = None
