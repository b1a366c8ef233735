"""Asking the shadow, too: after the client's answer, in the background, within bounds."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from edgewise.domain.decisions import Decision
from edgewise.domain.errors import EdgewiseError
from edgewise.domain.ids import shadow_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.execution.carry_out import Answer, Executor

logger = logging.getLogger(__name__)
AT_ONCE = 2
MOST_WAITING = 64
MOST_BYTES = 16_000_000  # of bodies that wait


class _Call(NamedTuple):
    """One shadow to ask: beside which decision, whom, and what."""

    beside: Decision
    candidate: Candidate
    request: Request


class Shadows:
    """Asks what shadows would have chosen, each as a decision of its own with its outcome and its cost.

    At most `at_once` calls run and `most_waiting` (with `most_bytes` of bodies) wait; further ones are
    dropped. `asked` and `dropped` count both. Nothing that happens here reaches a client.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._executor, self._at_once = executor, at_once
        self._most_waiting, self._most_bytes = most_waiting, most_bytes
        self._waiting: deque[_Call] = deque()
        self._bytes = 0
        self._running: set[asyncio.Task[None]] = set()
        self._busy = 0  # tasks that will look for what waits; one that has ended may still be in the set
        self._closed = False
        self.asked = 0
        self.dropped = 0

    async def after(
        self, answering: Awaitable[Answer], decision: Decision, candidate: Candidate, request: Request
    ) -> Answer:
        """The client's answer as it comes; `candidate` is asked as soon as that is done, however it ends.

        `decision` is the client's. A private one, a pinned one, and one whose shadow is not to be asked are
        never followed by a call.
        """
        call = _Call(decision, candidate, request)
        try:
            answer = await answering
        except BaseException:  # a failure, or a client that hung up: what the shadow would do is as telling
            self._offer(call)
            raise
        if answer.pieces is None:
            self._offer(call)
            return answer
        return answer._replace(pieces=_followed(answer.pieces, lambda: self._offer(call)))

    def beside(self, decision: Decision, candidate: Candidate, request: Request) -> None:
        """Ask `candidate` in the background, now that the client's answer is known. Does not wait."""
        self._offer(_Call(decision, candidate, request))

    async def drain(self) -> None:
        """Wait until nothing is under way and nothing waits."""
        while self._running:
            await asyncio.wait(self._running)

    async def aclose(self) -> None:
        """End the calls under way and drop those that wait."""
        self._closed = True
        self.dropped += len(self._waiting)
        self._waiting.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _offer(self, call: _Call) -> None:
        """Ask now, later, or never. Does not wait."""
        if not _permitted(call):
            return
        size = len(call.request.body)
        if self._closed:
            self.dropped += 1
        elif self._busy < self._at_once:
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._work(call))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        elif len(self._waiting) < self._most_waiting and self._bytes + size <= self._most_bytes:
            self._waiting.append(call)
            self._bytes += size
        else:
            self.dropped += 1

    async def _work(self, call: _Call) -> None:
        """Ask one after the other until none waits."""
        try:
            await self._try(call)
            while self._waiting:
                call = self._waiting.popleft()
                self._bytes -= len(call.request.body)
                await self._try(call)
        finally:
            self._busy -= 1

    async def _try(self, call: _Call) -> None:
        self.asked += 1
        try:
            await self._ask(call)
        except EdgewiseError:  # it is on record as an outcome
            logger.debug("A shadow did not answer", exc_info=True)
        except Exception:
            logger.exception("A shadow failed in a way that we did not foresee")

    async def _ask(self, call: _Call) -> None:
        decision = recorded(call.beside, call.candidate)
        request = replace(call.request, id=decision.id)
        arrived = (
            perf_counter() - call.beside.micros * 1e-6
        )  # a client would have waited for the decision, too
        answer = await self._executor.carry_out(decision, call.candidate, request, arrived=arrived)
        if answer.pieces is not None:
            async for _ in answer.pieces:
                pass


def recorded(beside: Decision, candidate: Candidate) -> Decision:
    """The decision record of the shadow's own call; what was asked and wished is that of the client."""
    shadow = beside.shadow
    return Decision(
        id=shadow_id(beside.id),
        at=time(),
        chosen=candidate.id,
        location=candidate.location,
        policy=shadow.policy if shadow else "",
        reason="shadow",
        propensity=shadow.odds.get(candidate.id, 0.0) if shadow else 0.0,
        odds=shadow.odds if shadow else {},
        shortlist=beside.shortlist,
        forecasts=shadow.forecasts if shadow else {},
        objections=beside.objections,
        objective=beside.objective,
        model=beside.model,
        session=beside.session,
        stream=beside.stream,
        simulated=candidate.simulated,
        prompt=beside.prompt,
        prompt_hash=beside.prompt_hash,
        micros=beside.micros,
        shadow_of=beside.id,
        task=beside.task,
    )


def _permitted(call: _Call) -> bool:
    """What the router has made sure of, once more: a private prompt goes nowhere a second time."""
    shadow = call.beside.shadow
    wishes = call.request.wishes
    private = call.beside.privacy is not None or wishes.privacy is not None
    return shadow is not None and shadow.ask and not private and call.request.pin is None


async def _followed(
    pieces: AsyncGenerator[bytes, None], then: Callable[[], None]
) -> AsyncGenerator[bytes, None]:
    """The same pieces; `then` is called when they are exhausted, broken off or closed."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        try:
            await pieces.aclose()
        finally:
            then()
