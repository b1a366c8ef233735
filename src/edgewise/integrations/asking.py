"""One chat body on its way: who answers and why, and what comes back. The same behind every framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from edgewise.domain.errors import EdgewiseError, UpstreamError
from edgewise.gateway.chat_body import parse_chat
from edgewise.integrations.answers import answer_in, events_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from edgewise.domain.decisions import Decision, Outcome
    from edgewise.domain.requests import Request
    from edgewise.execution import Answer
    from edgewise.integrations.answers import Answered
    from edgewise.library import Router


class Asking:
    """A chat body on its way to whoever is chosen.

    Its `edgewise` object says what it wishes, and so do `wishes`, by the names of the `x-edgewise-*` headers.
    `previous` is the candidate that gave the conversation's last answer: it stays, unless leaving pays, and
    wherever it waits for a tool's result. `keep` says that it stays in any case, as long as it may answer.
    Once there is an answer, or an error, `decision` says who gave it and `outcome` how it went.
    """

    def __init__(
        self,
        router: Router,
        body: Mapping[str, Any],
        wishes: Mapping[str, str] | None = None,
        *,
        previous: str | None = None,
        keep: bool = False,
    ) -> None:
        self._router, self._body, self._wishes = router, dict(body), dict(wishes or {})
        self._previous, self._keep = previous, keep
        self._pieces: AsyncGenerator[bytes, None] | None = None
        self.decision: Decision | None = None
        self.outcome: Outcome | None = None
        self.error: EdgewiseError | None = None

    @property
    def tried(self) -> frozenset[str]:
        """Who was asked, as far as it is known."""
        if self.outcome is not None and self.outcome.attempts:
            return frozenset(attempt.candidate for attempt in self.outcome.attempts)
        return frozenset({self.decision.chosen} if self.decision is not None and self.decision.chosen else ())

    @property
    def decided(self) -> Decision:
        """The decision, once there is one."""
        if self.decision is None:
            raise EdgewiseError("Nothing has been decided yet.")
        return self.decision

    async def whole(self) -> Answered:
        """The whole answer. Raises EdgewiseError."""
        return answer_in(await self.body())

    async def body(self) -> bytes:
        """The whole answer as the candidate wrote it. Raises EdgewiseError."""
        request = self._request(stream=False)
        answer = await self._routed(request)
        self.outcome = self._router.outcome_of(request.id)
        if answer.body is None:
            raise EdgewiseError("The answer came as a stream, which was not asked for.")
        return answer.body

    async def begin(self) -> None:
        """Begin a stream: from here on, somebody answers. Raises EdgewiseError where nobody does."""
        answer = await self._routed(self._request(stream=True))
        if answer.pieces is None:
            raise EdgewiseError("The answer came whole, though a stream was asked for.")
        self._pieces = answer.pieces

    async def events(self) -> AsyncGenerator[Answered, None]:
        """The answer as it comes, after `begin`. Raises UpstreamError where it breaks off."""
        async for piece in self.pieces():
            for event in events_in(piece):
                if event.error is not None:
                    raise UpstreamError(event.error.message)
                yield event

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The answer as it comes, after `begin`: whole server-sent events, the last ones say how it ended."""
        pieces = self._pieces
        if pieces is None:
            raise EdgewiseError("The stream has not begun, or has ended.")
        try:
            while (piece := await self._router.awaited(_next(pieces))) is not None:
                yield piece
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """End the stream; one that has not ended yet is cancelled at the endpoint, too."""
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            await self._router.awaited(_closed(pieces))
            self.outcome = self._router.outcome_of(self.decided.id)

    async def _routed(self, request: Request) -> Answer:
        router = self._router
        try:
            answer = await router.awaited(router.opened.router.route(request))
        except EdgewiseError as error:
            self.error = error
            self.decision, self.outcome = router.decision_of(request.id), router.outcome_of(request.id)
            raise
        router.decision_of(request.id)  # as it was drawn; the answer's own says who answered
        self.decision = answer.decision
        return answer

    def _request(self, *, stream: bool) -> Request:
        body = {**self._body, "stream": stream}
        if stream:
            body.setdefault("stream_options", {"include_usage": True})
        request = parse_chat(msgspec.json.encode(body), self._wishes)
        if self._previous is None:
            return request
        return replace(request, previous=self._previous, in_tool_loop=request.in_tool_loop or self._keep)


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(pieces, None)


async def _closed(pieces: AsyncGenerator[bytes, None]) -> None:
    await pieces.aclose()


def told(decision: Decision, outcome: Outcome | None = None) -> dict[str, Any]:
    """What every adapter says of a decision beside its answer, in JSON's types.

    `edgewise explain` and feedback take the `decision_id`. Costs are in USD, absent where nobody knows them.
    """
    said: dict[str, Any] = {
        "decision_id": decision.id,
        "candidate": decision.chosen,
        "location": decision.location,
        "policy": decision.policy,
        "reason": decision.reason,
    }
    if outcome is not None and outcome.cost_usd is not None:
        said["cost_usd"], said["cost_state"] = outcome.cost_usd, outcome.cost_state
    return said
