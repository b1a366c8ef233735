"""A gateway that knows whose trace a request belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.gateway.asgi import Gateway
from edgewise.monitors.traces import PARENT

if TYPE_CHECKING:
    from edgewise.gateway.wire import Receive, Scope, Send

HEADER: Final = b"traceparent"
LENGTH: Final = 55  # version 00; later versions may be longer, and nobody speaks them yet


class Traced(Gateway):
    """The same gateway; while it answers, `PARENT` holds the trace that the request came with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry point."""
        found = [value for name, value in scope.get("headers", ()) if name == HEADER]
        if len(found) != 1 or len(found[0]) != LENGTH:
            await super().__call__(scope, receive, send)
            return
        before = PARENT.set(found[0].decode("latin-1"))
        try:
            await super().__call__(scope, receive, send)
        finally:
            PARENT.reset(before)
