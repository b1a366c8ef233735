"""An upstream whose calls are told to somebody."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from edgewise.domain.calls import Call
from edgewise.domain.errors import UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from edgewise.domain.calls import Fault
    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request

SERVER_ERROR, TOO_MANY = 500, 429


class Watched:
    """Asks `inner`, counts what is under way, and hands each `Call` to `report` as it begins to answer.

    `in_flight` are the calls that have not ended, `waiting_since` when the oldest of those that have not
    answered yet began (seconds of `clock`).
    """

    def __init__(
        self,
        candidate_id: str,
        inner: Upstream,
        report: Callable[[Call], None],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.candidate_id, self.inner, self._report, self._clock = candidate_id, inner, report, clock
        self.in_flight = 0
        self._waiting: dict[object, float] = {}

    @property
    def waiting_since(self) -> float | None:
        """When the oldest unanswered call began; None where there is none."""
        return next(iter(self._waiting.values()), None)

    @property
    def rtt_s(self) -> float | None:
        """The round trip that the operating system measured on a connection of ours; None where unknown."""
        return getattr(self.inner, "rtt_s", None)

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """Ask, and report how long the first byte took, or what went wrong."""
        began, ticket = self._clock(), object()
        self._waiting[ticket] = began
        self.in_flight += 1
        streaming = False
        try:
            answer = await self.inner.ask(request)
            self._report(Call(self.candidate_id, self._clock() - began))
            if isinstance(answer, bytes):
                return answer
            streaming = True
            return self._pieces(answer)
        except UpstreamError as error:
            self._report(Call(self.candidate_id, None, fault_of(error)))
            raise
        finally:
            del self._waiting[ticket]
            if not streaming:
                self.in_flight -= 1

    async def aclose(self) -> None:
        """Close what is behind."""
        await self.inner.aclose()

    async def _pieces(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in pieces:
                yield piece
        except UpstreamError as error:
            self._report(Call(self.candidate_id, None, fault_of(error)))
            raise
        finally:
            self.in_flight -= 1
            await pieces.aclose()


def fault_of(error: UpstreamError) -> Fault | None:
    """What an error says about the way to the endpoint, or the endpoint; None where it says nothing."""
    if isinstance(error, UpstreamTimeout):
        return "timeout"
    if isinstance(error, UpstreamUnreachable):
        return "unreachable"
    if isinstance(error, UpstreamRefused):
        if error.status == TOO_MANY:
            return "limited"
        return "failing" if error.status >= SERVER_ERROR else None
    return "failing"
