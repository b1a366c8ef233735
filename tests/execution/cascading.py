"""A router whose policy is a cascade, over fakes whose every move a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from time import monotonic
from typing import Any

from msgspec.structs import replace

from edgewise.constraints import constraints_for
from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import UpstreamError
from edgewise.domain.protocols import Policy, Upstream
from edgewise.domain.requests import Request
from edgewise.domain.signals import NO_SIGNALS, Signals
from edgewise.execution import Answer, Executor, RetryBudget
from edgewise.features import TextFeatures
from edgewise.gateway.chat_body import chat_of
from edgewise.outcomes import MemoryLog, Texts
from edgewise.policies.cascade.policy import Cascade
from edgewise.policies.cascade.rules import Escalation
from edgewise.router import Router
from edgewise.settings import ExecutionSettings, Settings
from edgewise.upstreams.reading import read_plain, words_of
from edgewise.upstreams.scripted import Scripted

EDGE = Candidate("edge", "edge", "device", price=Price(1.0, 1.0))
CLOUD = Candidate(
    "cloud", "cloud", "cloud", endpoint="https://cloud.test/v1", price=Price(10.0, 10.0), region="eu"
)
PATIENT = 600.0  # seconds: no test waits for these
SHORT, LONGER = 60.0, 100.0  # nor for these: the loop's clock is put forward
STAY, GO = "hello there", "get me your manager"
RULES = (Escalation("person", ("manager",)),)
FAST = ExecutionSettings(retries=0)


class Gated:
    """Answers once it is let through: before the first word or, of a stream, after `whole_words`.

    While it waits, the loop's clock goes `skip_s` seconds forward, so that whoever waits for it gives up.
    """

    def __init__(
        self, reply: str, whole_words: int = 0, then: Exception | None = None, *, skip_s: float = 0.0
    ) -> None:
        self.inner, self.whole_words, self.then, self.skip_s = Scripted([reply]), whole_words, then, skip_s
        self.gate, self.waits = asyncio.Event(), asyncio.Event()
        self.cut = self.closed = 0

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        if self.whole_words == 0:
            await self._through()
        answer = await self.inner.ask(request)
        return answer if isinstance(answer, bytes) else self._paced(answer)

    async def _paced(self, answer: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            for _ in range(1 + self.whole_words):  # the first piece holds only the role
                yield await anext(answer)
            if self.whole_words:
                await self._through()
            async for piece in answer:
                yield piece
        finally:
            self.closed += 1
            await answer.aclose()

    async def _through(self) -> None:
        self.waits.set()
        if self.skip_s:
            skip(self.skip_s)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cut += 1
            raise
        if self.then is not None:
            raise self.then

    async def aclose(self) -> None: ...


def skip(seconds: float) -> None:
    """Let the running loop's clock go forward at once."""
    loop = asyncio.get_running_loop()
    loop.time = lambda: monotonic() + seconds  # type: ignore[method-assign]  # for this loop alone
    loop.call_soon(lambda: None)  # it looks at its timers again


class Noted:
    """An upstream that writes down when it was asked, among the others."""

    def __init__(self, inner: Upstream, name: str, asked: list[str]) -> None:
        self.inner, self.name, self.asked = inner, name, asked

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        self.asked.append(self.name)
        return await self.inner.ask(request)

    async def aclose(self) -> None: ...


class World:
    """A router over an edge and a cloud (and more), and everything that it did."""

    def __init__(
        self,
        edge: Upstream | None = None,
        cloud: Upstream | None = None,
        *,
        policy: Policy | None = None,
        hold_s: float = PATIENT,
        settings: Settings | None = None,
        candidates: Sequence[Candidate] = (EDGE, CLOUD),
        signals: Sequence[Signals] = (),
        limits: ExecutionSettings = FAST,
        keep_text: bool = True,
    ) -> None:
        self.asked: list[str] = []
        self.log = MemoryLog()
        upstreams: Mapping[str, Upstream] = {
            "edge": Noted(edge or Scripted(["from the edge"]), "edge", self.asked),
            "cloud": Noted(cloud or Scripted(["from the cloud"]), "cloud", self.asked),
        }
        self.executor = Executor(
            upstreams,
            self.log,
            keep_text=keep_text,
            candidates={c.id: c for c in candidates},
            limits=limits,
            budget=RetryBudget(0.1),
        )
        looks = iter(signals)
        self.router = Router(
            candidates=candidates,
            featurizer=TextFeatures(),
            constraints=constraints_for(settings or Settings()),
            policies={"auto": policy or Cascade(rules=RULES, hold_s=hold_s)},
            executor=self.executor,
            keep=Texts("full"),
            signals=lambda: next(looks, NO_SIGNALS),
        )

    async def answer(self, prompt: str, *, stream: bool = False, **options: Any) -> Answer:
        wishes, name = options.pop("wishes", {}), options.pop("id", None)
        request = chat_of(prompt, {"stream": stream, **options}, wishes)
        return await self.router.route(request if name is None else replace(request, id=name))

    async def told(self, prompt: str, *, stream: bool = False, **options: Any) -> tuple[str, Decision]:
        """The client's words, and the decision as it is told of it."""
        answer = await self.answer(prompt, stream=stream, **options)
        return await words(answer), answer.decision

    def tell(self, prompt: str, *, stream: bool = False, **options: Any) -> tuple[str, Decision]:
        return asyncio.run(self.told(prompt, stream=stream, **options))

    @property
    def decision(self) -> Decision:
        (decision,) = (record for record in self.log.records if isinstance(record, Decision))
        return decision

    @property
    def outcome(self) -> Outcome:
        (outcome,) = (record for record in self.log.records if isinstance(record, Outcome))
        return outcome

    @property
    def attempts(self) -> list[tuple[str, str]]:
        return [(attempt.candidate, attempt.status) for attempt in self.outcome.attempts]


async def words(answer: Answer) -> str:
    """All the words that a client sees."""
    if answer.pieces is None:
        return read_plain(answer.body or b"").text
    return words_of(b"".join([piece async for piece in answer.pieces]))


def broken() -> UpstreamError:
    return UpstreamError("it broke")
