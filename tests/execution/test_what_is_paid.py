"""No answer is cheaper for how it ended, for what is said of it, or for being one of several."""

from __future__ import annotations

import asyncio

import pytest

from edgewise.constraints import Budget
from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Outcome, Record
from edgewise.domain.requests import Request
from edgewise.execution import Executor
from edgewise.gateway.chat_body import chat_of
from edgewise.outcomes import MemoryLog, Observed
from edgewise.upstreams.reading import Meter, Usage, read_plain
from edgewise.upstreams.scripted import Scripted

GPT = Candidate("gpt", "cloud", "cloud", price=Price(1.0, 10.0))
PLAIN = b'{"choices":[{"message":{"content":"yes"}}],"usage":%b}'
EVENT = b'data: {"choices":[{"delta":{"content":"yes"}}],"usage":%b}\n\n'
LIES = (
    b'{"prompt_tokens":-1000000,"completion_tokens":-5}',
    b'{"prompt_tokens":5,"completion_tokens":-1}',
    b'{"prompt_tokens":%b,"completion_tokens":5}' % (b"9" * 400),
    b'{"prompt_tokens":0,"completion_tokens":0}',
    b'{"prompt_tokens":"many"}',
    b"[]",
    b"null",
)


def decision_for(request: Request) -> Decision:
    return Decision(
        id=request.id, at=0.0, chosen="gpt", location="cloud", policy="fixed", reason="pinned",
        propensity=1.0, odds={"gpt": 1.0}, shortlist=("gpt",),
    )  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_usage_that_cannot_be_true_is_none(lie: bytes) -> None:
    """It is estimated then; the answer itself is as good as any."""
    reading = read_plain(PLAIN % lie)
    assert (reading.text, reading.usage, reading.error) == ("yes", None, None)
    meter = Meter(wants_usage=False, keep_text=True)
    said = meter.feed(EVENT % lie)
    assert (meter.usage, meter.error, b"yes" in said) == (None, None, True)


def test_a_later_lie_does_not_undo_a_report() -> None:
    meter = Meter(wants_usage=False, keep_text=False)
    meter.feed(EVENT % b'{"prompt_tokens":7,"completion_tokens":2}')
    meter.feed(EVENT % LIES[0])
    assert meter.usage == Usage(7, 2)


@pytest.mark.parametrize("after", [0, 3])
def test_who_hangs_up_has_used_the_prompt_and_what_came(after: int) -> None:
    seen: list[Record] = []

    async def main() -> None:
        executor = Executor({"gpt": Scripted(["a b c d e f g h"])}, Observed(MemoryLog(), seen.append))
        request = chat_of("hello there, who are you?", {"stream": True})
        answer = await executor.carry_out(decision_for(request), GPT, request, arrived=0.0)
        assert answer.pieces is not None
        for _ in range(1 + after):
            await anext(answer.pieces)
        await answer.pieces.aclose()

    asyncio.run(main())
    (outcome,) = [record for record in seen if isinstance(record, Outcome)]
    assert (outcome.status, outcome.cost_state) == ("cancelled", "estimated")
    assert outcome.input_tokens is not None
    assert outcome.cost_usd is not None
    assert outcome.cost_usd >= GPT.price.cost(outcome.input_tokens, 1 if after else 0)  # type: ignore[union-attr]
    assert outcome.input_tokens > 0


def test_a_client_that_hangs_up_before_an_answer_has_sent_its_prompt() -> None:
    seen: list[Record] = []

    async def main() -> None:
        executor = Executor(
            {"gpt": Scripted(["a b c"], tokens_per_s=1.0)}, Observed(MemoryLog(), seen.append)
        )
        request = chat_of("hello there, who are you?")
        running = asyncio.create_task(executor.carry_out(decision_for(request), GPT, request, arrived=0.0))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    (outcome,) = [record for record in seen if isinstance(record, Outcome)]
    assert outcome.cost_usd
    assert outcome.cost_usd > 0.0


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"max_tokens": 100}, True),
        ({"max_tokens": 100, "n": 1}, True),
        ({"max_tokens": 100, "n": 100}, False),
        ({"max_tokens": 100_000, "max_completion_tokens": 1}, False),
        ({"max_tokens": 1, "max_completion_tokens": 100_000}, False),
    ],
)
def test_a_request_s_limit_holds_for_all_that_it_may_write(options: dict[str, int], fits: bool) -> None:
    budget = Budget(usd_per_request=0.01)  # a thousand tokens of GPT
    assert (budget.objection(chat_of("hi", options), GPT, {}) is None) is fits
