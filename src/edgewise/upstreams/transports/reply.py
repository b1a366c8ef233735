"""What a transport is, and what it brings back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgewise.domain.errors import UpstreamRefused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

CONNECT_S = 2.5  # for one connection; a lost first packet is sent again after 1 s
ERROR_BODY_BYTES = 65_536
HTTP_OK = 200
MOST_BYTES = 100_000_000  # of one answer


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` whole, or the `pieces` of a stream that began with a 200."""

    status: int
    body: bytes = b""
    pieces: AsyncGenerator[bytes, None] | None = None
    retry_after: str | None = None


def refusal(name: str, reply: Reply, said: str) -> UpstreamRefused:
    """The error that an answer other than a 200 is; `said` are the endpoint's own words, or none."""
    why = f": {' '.join(said.split())[:300].rstrip('.')}" if said else ""
    return UpstreamRefused(
        f"{name} answered with HTTP {reply.status}{why}.",
        status=reply.status,
        body=reply.body[:ERROR_BODY_BYTES],
        retry_after=reply.retry_after,
    )


class Transport(Protocol):
    """Speaks to one base URL. Raises `UpstreamError` where there is no answer."""

    async def post(self, path: str, body: bytes, *, stream: bool) -> Reply:
        """One call; the answer whole, or as the pieces of a stream."""
        ...

    async def get(self, path: str) -> Reply:
        """A question without a body; the answer whole."""
        ...

    async def aclose(self) -> None:
        """Close idle connections."""
        ...
