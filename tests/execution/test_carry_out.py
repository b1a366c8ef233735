"""Each way to end leaves exactly one outcome, and nothing goes out before it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable

import pytest

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Outcome, Record
from edgewise.domain.errors import StoreError, UpstreamError, UpstreamRefused, UpstreamTimeout
from edgewise.domain.protocols import Upstream
from edgewise.domain.requests import Request
from edgewise.execution import Answer, Executor
from edgewise.gateway.chat_body import chat_of
from edgewise.upstreams.reading import words_of
from edgewise.upstreams.scripted import Scripted

TINY = Candidate("tiny", "edge", "device", price=Price(1.0, 10.0))


class SlowLog:
    """A log whose commits wait until they are let through."""

    def __init__(self, *, broken: bool = False) -> None:
        self.records: list[Record] = []
        self.committed = asyncio.Event()
        self.broken = broken

    def append(self, *records: Record) -> Awaitable[None]:
        self.records.extend(records)
        return asyncio.ensure_future(self._commit())

    async def _commit(self) -> None:
        await self.committed.wait()
        if self.broken:
            raise StoreError("the disk is full")


class Cut:
    """An upstream whose stream breaks after its first words."""

    async def ask(self, request: Request) -> AsyncGenerator[bytes, None]:
        whole = await Scripted(["some words here"]).ask(request)
        assert not isinstance(whole, bytes)
        return self._cut(whole)

    async def _cut(self, whole: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        yield await anext(whole)
        yield await anext(whole)
        await whole.aclose()
        raise UpstreamTimeout("tiny sent nothing for 1 s.")

    async def aclose(self) -> None: ...


def decision_for(request: Request) -> Decision:
    return Decision(
        id=request.id, at=0.0, chosen="tiny", location="edge", policy="fixed", reason="pinned",
        propensity=1.0, odds={"tiny": 1.0}, shortlist=("tiny",),
    )  # fmt: skip


async def carried(upstream: Upstream, log: SlowLog, *, stream: bool = False) -> Answer:
    request = chat_of("hello there, who are you?", {"stream": stream})
    return await Executor({"tiny": upstream}, log).carry_out(
        decision_for(request), TINY, request, arrived=0.0
    )


def outcomes(log: SlowLog) -> list[Outcome]:
    return [record for record in log.records if isinstance(record, Outcome)]


def test_plain_waits_for_the_commit() -> None:
    async def main() -> None:
        log = SlowLog()
        running = asyncio.create_task(carried(Scripted(["two words"]), log))
        await asyncio.sleep(0.05)
        assert not running.done()
        log.committed.set()
        assert (await running).body is not None
        assert [type(r) for r in log.records] == [Decision, Outcome]
        (outcome,) = outcomes(log)
        assert (outcome.status, outcome.output_tokens, outcome.cost_state) == ("ok", 2, "billed")
        assert outcome.cost_usd == pytest.approx((outcome.input_tokens or 0) * 1e-6 + 2 * 10e-6)

    asyncio.run(main())


def test_a_streams_end_waits_for_its_outcome() -> None:
    async def main() -> None:
        log = SlowLog()
        log.committed.set()
        answer = await carried(Scripted(["two words"]), log, stream=True)
        assert answer.pieces is not None
        log.committed.clear()
        seen = b""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                async for piece in answer.pieces:
                    seen += piece
        assert words_of(seen) == "two words"
        assert b"[DONE]" not in seen

    asyncio.run(main())


def test_a_stream_begins_after_its_decision() -> None:
    async def main() -> None:
        running = asyncio.create_task(carried(Scripted(["x"]), log := SlowLog(), stream=True))
        await asyncio.sleep(0.05)
        assert not running.done()
        assert isinstance(log.records[0], Decision)
        log.committed.set()
        answer = await running
        assert answer.pieces is not None
        await answer.pieces.aclose()

    asyncio.run(main())


def test_a_cut_stream_ends_with_an_error_event() -> None:
    async def main() -> None:
        log = SlowLog()
        log.committed.set()
        answer = await carried(Cut(), log, stream=True)
        assert answer.pieces is not None
        seen = b"".join([piece async for piece in answer.pieces])
        assert b'"error":{"message":"tiny sent nothing for 1 s."' in seen
        assert seen.endswith(b"data: [DONE]\n\n")
        assert [o.status for o in outcomes(log)] == ["incomplete"]

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_is_an_outcome(stream: bool) -> None:
    async def main() -> None:
        log = SlowLog()
        log.committed.set()
        refusal = UpstreamRefused("tiny answered with HTTP 500.", status=500, body=b"")
        with pytest.raises(UpstreamError):
            await carried(Scripted([refusal]), log, stream=stream)
        (outcome,) = outcomes(log)
        assert outcome.status == "error"
        assert outcome.attempts[0].http_status == 500
        assert sum(isinstance(record, Decision) for record in log.records) == 1

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_hangs_up_is_an_outcome(stream: bool) -> None:
    async def main() -> None:
        log = SlowLog()
        log.committed.set()
        slow = Scripted(["a b c d e f g h"], tokens_per_s=20.0)

        async def client() -> None:
            answer = await carried(slow, log, stream=stream)
            if answer.pieces is not None:
                async for _ in answer.pieces:
                    pass

        running = asyncio.create_task(client())
        await asyncio.sleep(0.15)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert [o.status for o in outcomes(log)] == ["cancelled"]

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_no_answer_without_a_record(stream: bool) -> None:
    async def main() -> None:
        log = SlowLog(broken=True)
        log.committed.set()
        with pytest.raises(StoreError):
            await carried(Scripted(["x"]), log, stream=stream)

    asyncio.run(main())
