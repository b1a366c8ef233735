"""The last line of defence: whoever is asked, by whatever path, gets only what may go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.domain.errors import WouldLeave
from edgewise.domain.privacy import permits, promise_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request


@dataclass(frozen=True, slots=True)
class Guarded:
    """Ask `inner`, which speaks for `candidate`, only with what may leave for it.

    The constraints have said the same before; this holds where they were not asked: a fallback, a retry, a
    hedge, a shadow, and code that is not written yet. Refused are a privacy that does not permit the
    candidate, findings to be held local or blocked, and findings to be redacted that still stand in the text.
    """

    inner: Upstream
    candidate: Candidate

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The answer of `inner`. Raises `WouldLeave`, with nothing sent."""
        allowed = permits(promise_of(request), self.candidate)
        if not allowed or any(found.action != "allow" for found in request.findings):
            raise WouldLeave(
                f"{self.candidate.id} was not asked: the request is, or holds, what must not go there."
            )
        return await self.inner.ask(request)

    async def aclose(self) -> None:
        """Close the upstream behind."""
        await self.inner.aclose()
