"""Three candidates, upstreams that fail in every way, and an executor over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from msgspec.structs import replace

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import UpstreamRefused
from edgewise.domain.protocols import Upstream
from edgewise.domain.requests import Request
from edgewise.execution import Answer, Circuits, Executor, RetryBudget
from edgewise.gateway.chat_body import chat_of
from edgewise.outcomes import MemoryLog
from edgewise.settings import ExecutionSettings
from edgewise.upstreams.scripted import Scripted

EDGE = Candidate("edge", "edge", "device", price=Price(0.0, 0.0))
NEAR = Candidate("near", "cloud", "cloud", price=Price(1.0, 10.0), region="eu")
FAR = Candidate("far", "cloud", "cloud", price=Price(2.0, 20.0))
FIELD = (EDGE, NEAR, FAR)
ODDS = {"edge": 0.5, "near": 0.2, "far": 0.3}
FAST = ExecutionSettings(retries=0)


def refused(status: int, retry_after: str | None = None) -> UpstreamRefused:
    said = f"HTTP {status}"
    return UpstreamRefused(said, status=status, body=b"", retry_after=retry_after)


class Bad:
    """An upstream whose stream begins (or not) and then breaks, hangs, or ends early."""

    def __init__(self, whole_words: int, end: Exception | None = None, *, hangs: bool = False) -> None:
        self.words, self.end, self.hangs, self.closed, self.asked = whole_words, end, hangs, 0, 0

    async def ask(self, request: Request) -> AsyncGenerator[bytes, None]:
        self.asked += 1
        whole = await Scripted(["one two three four"]).ask(replace(request, stream=True))
        assert not isinstance(whole, bytes)
        return self._cut(whole)

    async def _cut(self, whole: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            for _ in range(1 + self.words):  # the first piece holds only the role
                yield await anext(whole)
            if self.hangs:
                await asyncio.Event().wait()
            if self.end is not None:
                raise self.end
        finally:
            self.closed += 1
            await whole.aclose()

    async def aclose(self) -> None: ...


class World:
    """An executor over fakes, and everything that it did."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        limits: ExecutionSettings = FAST,
        *,
        circuits: Circuits | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.log = MemoryLog()
        self.upstreams = upstreams
        self.budget = budget or RetryBudget(0.1)
        self.executor = Executor(
            upstreams,
            self.log,
            candidates={c.id: c for c in FIELD},
            limits=limits,
            circuits=circuits or Circuits(),
            budget=self.budget,
        )

    async def answer(self, request: Request, **decision: Any) -> Answer:
        return await self.executor.carry_out(decided(request, **decision), EDGE, request, arrived=0.0)

    def told(self, request: Request, **decision: Any) -> tuple[Answer, str]:
        """The answer, and its words or raw events."""

        async def main() -> tuple[Answer, str]:
            answer = await self.answer(request, **decision)
            if answer.pieces is None:
                return answer, (answer.body or b"").decode()
            return answer, b"".join([piece async for piece in answer.pieces]).decode()

        return asyncio.run(main())

    @property
    def outcome(self) -> Outcome:
        (outcome,) = (record for record in self.log.records if isinstance(record, Outcome))
        return outcome


def decided(request: Request, **changes: Any) -> Decision:
    decision = Decision(
        id=request.id, at=0.0, chosen="edge", location="edge", policy="fixed", reason="best_utility",
        propensity=0.5, odds=ODDS, shortlist=("edge", "near", "far"),
    )  # fmt: skip
    return replace(decision, **changes)


def asked(*, stream: bool = False, **options: Any) -> Request:
    wishes = options.pop("wishes", {})
    return chat_of("hello there", {"stream": stream, **options}, wishes)
