"""An upstream that is asked only as much as it can answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import UpstreamRefused

if TYPE_CHECKING:
    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request
    from edgewise.upstreams.line import Line

TOO_MUCH = frozenset({429, 503})
PER_BYTES = 1000.0  # a long answer takes long: what counts is its pace


@dataclass(frozen=True, slots=True)
class Limited:
    """Ask `inner` when the line says so; a stream keeps its place until it has ended or was closed.

    Raises `Overloaded`, with nothing sent, where too many wait already.
    """

    inner: Upstream
    line: Line

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The answer of `inner`."""
        line, wishes = self.line, request.wishes
        began = await line.enter(wishes.priority, wishes.deadline_s)
        streaming = False
        try:
            answer = await self.inner.ask(request)
            if isinstance(answer, bytes):
                line.learn(began, 1.0 + len(answer) / PER_BYTES)
                return answer
            streaming = True
            return _Held(answer, line, began)
        except UpstreamRefused as error:
            if error.status in TOO_MUCH:
                line.refused()
            raise
        finally:
            if not streaming:
                line.leave(began)

    async def aclose(self) -> None:
        """Close the upstream behind."""
        await self.inner.aclose()


class _Held(AsyncGenerator[bytes, None]):
    """A stream with its place in the line, given back at its end, however it ends, begun or not."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], line: Line, began: float) -> None:
        self._pieces, self._line, self._began = pieces, line, began
        self._has_begun = self._has_ended = False

    async def asend(self, value: None) -> bytes:
        """The next piece."""
        try:
            piece = await self._pieces.asend(value)
        except BaseException:
            self._leave()
            raise
        if not self._has_begun:
            self._has_begun = True
            self._line.learn(self._began, stream=True)
        return piece

    async def athrow(self, *thrown: Any) -> bytes:
        """End it with an exception."""
        self._leave()
        return await self._pieces.athrow(*thrown)

    async def aclose(self) -> None:
        """Hang up."""
        try:
            await self._pieces.aclose()
        finally:
            self._leave()

    def _leave(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._line.leave(self._began)
