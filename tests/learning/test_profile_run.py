from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from msgspec import structs
from tests.learning.profiles import CLOUD, EDGE, answering, measured, profiled, prompts

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.errors import (
    SettingsError,
    TableError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from edgewise.domain.requests import Request
from edgewise.learning.profile import Plan, estimate, profiler, summary, takes_s
from edgewise.learning.profile.run import lanes_for
from edgewise.learning.prompts import Prompt
from edgewise.learning.tables import read_table
from edgewise.settings.looping import ProfileSettings
from edgewise.upstreams.scripted import Scripted

CALM = ProfileSettings(warm_up=0)


def test_every_candidate_is_asked_every_prompt_as_published(tmp_path: Path) -> None:
    near, far = answering("two words"), answering()
    given = prompts(5, group="sums", check={"grader": "numeric", "answer": 4}, kind="easy", split="test")
    tally, found = profiled(given, tmp_path, Plan((EDGE, CLOUD)), {"near": near, "far": far})
    assert (tally.total, tally.ended, tally.failed) == (10, 10, 0)
    assert Counter(row["candidate"] for row in found) == {"near": 5, "far": 5}
    row = next(row for row in found if row["candidate"] == "near")
    assert row["response"] == "two words"
    assert (row["location"], row["status"], row["repeat"], row["output_tokens"]) == ("edge", "ok", 0, 2)
    assert (row["group"], row["kind"], row["split"]) == ("sums", "easy", "test")
    assert row["check"] == {"grader": "numeric", "answer": 4}
    assert 0 < row["ttft_s"] <= row["latency_s"]
    body = json.loads(measured(near)[0].body)
    assert body["messages"][0]["role"] == "system"
    assert body["messages"][0]["content"].startswith("You are an expert assistant.")
    assert (body["temperature"], body["max_tokens"], body["stream"]) == (0.2, 256, True)


def test_the_rows_are_an_outcome_table_once_there_is_a_quality(tmp_path: Path) -> None:
    _, found = profiled(prompts(4), tmp_path, Plan((EDGE, CLOUD)), {"near": answering(), "far": answering()})
    table = tmp_path / "judged.jsonl"
    table.write_text("\n".join(json.dumps(row | {"quality": 1.0}) for row in found))
    read = read_table(table)
    assert (len(read), read.candidates, read.edge()) == (4, ("far", "near"), ("near",))
    assert read.has("latency_s")
    assert read.has("cost_usd")


def test_warm_up_calls_are_short_not_rows_and_never_the_same(tmp_path: Path) -> None:
    near = answering()
    plan = Plan((EDGE,), ProfileSettings(warm_up=2))
    _, found = profiled(prompts(3), tmp_path, plan, {"near": near})
    warm = near.asked[:2]
    assert len(found) == 3
    assert len({request.prompt for request in warm}) == 2
    assert all(request.prompt.startswith("Warm-up") for request in warm)
    assert all(json.loads(request.body)["max_tokens"] == 1 for request in warm)


def test_who_does_not_answer_the_warm_up_is_told_at_once(tmp_path: Path) -> None:
    said: list[str] = []

    async def run() -> None:
        far = Failing(UpstreamUnreachable("far is gone."), None)
        with profiler(prompts(2), tmp_path, Plan((CLOUD,)), {"far": far}) as ready:
            ready.say = said.append
            await ready.run()

    asyncio.run(run())
    assert said == ["far did not answer the warm-up call: far is gone."]
    assert summary(tmp_path)[0].ok == 2


def test_repeats_are_further_rows_and_duplicates_are_asked_once(tmp_path: Path) -> None:
    near = answering()
    given = [*prompts(3), *prompts(2), Prompt(prompt="How  much is 0 and 0?")]
    _, found = profiled(given, tmp_path, Plan((EDGE,), ProfileSettings(repeats=2)), {"near": near})
    assert Counter((row["prompt_hash"], row["repeat"]) for row in found).most_common(1)[0][1] == 1
    assert len(found) == 3 * 2


def order_of(tmp_path: Path, seed: int, count: int) -> list[str]:
    near = answering()
    profiled(
        prompts(count),
        tmp_path / f"{seed}-{count}",
        Plan((EDGE,), ProfileSettings(seed=seed, concurrency=1)),
        {"near": near},
    )
    return [request.prompt for request in measured(near)]


def test_the_order_follows_from_the_seed_and_each_prompt_alone(tmp_path: Path) -> None:
    first = order_of(tmp_path, 1, 30)
    assert first != [prompt.prompt for prompt in prompts(30)]
    assert first != order_of(tmp_path, 2, 30)
    more = order_of(tmp_path, 1, 40)
    assert [prompt for prompt in more if prompt in set(first)] == first


def test_a_conversation_is_asked_as_it_is(tmp_path: Path) -> None:
    near = answering()
    messages = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Why?"}]
    given = [Prompt(prompt='[{"role":"system","content":"Be terse."}]', messages=messages)]
    profiled(given, tmp_path, Plan((EDGE,)), {"near": near})
    assert json.loads(measured(near)[0].body)["messages"] == messages


def test_what_is_private_is_asked_on_this_machine_only(tmp_path: Path) -> None:
    site = Candidate("site", "edge", "site", price=Price(0.0, 0.0), region="eu")
    near, far, other = answering(), answering(), answering()
    given = [
        Prompt(prompt="a secret", privacy="local"),
        Prompt(prompt="stays in Europe", privacy="region:eu"),
        Prompt(prompt="anything"),
    ]
    upstreams = {"near": near, "far": far, "site": other}
    tally, found = profiled(given, tmp_path, Plan((EDGE, CLOUD, site)), upstreams)
    assert {request.prompt for request in measured(far)} == {"anything"}
    assert {request.prompt for request in measured(other)} == {"anything", "stays in Europe"}
    assert len(measured(near)) == 3
    assert tally.total == len(found) == 6
    assert {row["privacy"] for row in found if row["prompt"] == "a secret"} == {"local"}


class Failing:
    """Fails each call in the way that its number says; `raised` are the ways."""

    def __init__(self, *raised: Exception | None) -> None:
        self.raised, self.calls = raised, 0
        self.inner = answering()

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        error = self.raised[min(self.calls, len(self.raised) - 1)]
        self.calls += 1
        if error is not None:
            raise error
        return await self.inner.ask(request)

    async def aclose(self) -> None:
        """Nothing to close."""


def test_failures_are_rows(tmp_path: Path) -> None:
    far = Failing(UpstreamUnreachable("far is gone."), UpstreamTimeout("far slept."), RuntimeError("a bug"))
    plan = Plan((CLOUD,), structs.replace(CALM, concurrency=1))
    tally, found = profiled(prompts(3), tmp_path, plan, {"far": far})
    assert [row["status"] for row in found] == ["error"] * 3
    assert [row["error"] for row in found[:2]] == ["far is gone.", "far slept."]
    assert "a bug" not in found[2]["error"]
    assert (tally.failed, tally.ended) == (3, 3)
    assert found[0]["cost_usd"] == 0.0
    assert found[1]["cost_usd"] > 0.0  # it was read, and may be on the bill
    assert summary(tmp_path)[0].failed == 3


def test_who_is_turned_away_waits_and_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgewise.learning.profile.run.FIRST_WAIT_S", 0.01)
    busy = UpstreamRefused("far is busy.", status=429, body=b"", retry_after="0.02")
    far = Failing(busy, busy, None)
    plan = Plan((CLOUD,), structs.replace(CALM, concurrency=1))
    _, found = profiled(prompts(2), tmp_path, plan, {"far": far})
    assert [row["status"] for row in found] == ["ok", "ok"]
    assert far.calls == 4


def test_whoever_refuses_streams_is_asked_for_whole_answers(tmp_path: Path) -> None:
    no_streams = UpstreamRefused("No.", status=400, body=b'{"error":{"message":"stream is not supported"}}')
    far = Failing(no_streams, None)
    plan = Plan((CLOUD,), structs.replace(CALM, concurrency=1))
    _, found = profiled(prompts(3), tmp_path, plan, {"far": far})
    assert [row["status"] for row in found] == ["ok"] * 3
    assert far.calls == 4
    assert not any(request.stream for request in far.inner.asked)


class Torn:
    """A stream that ends within its answer."""

    async def ask(self, request: Request) -> AsyncGenerator[bytes, None]:
        del request
        return self._pieces()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        yield b'data: {"choices":[{"index":0,"delta":{"content":"half an"}}]}\n\n'
        raise UpstreamUnreachable("far hung up.")

    async def aclose(self) -> None:
        """Nothing to close."""


def test_an_answer_that_breaks_off_is_paid_and_not_whole(tmp_path: Path) -> None:
    _, [row] = profiled(prompts(1), tmp_path, Plan((CLOUD,), CALM), {"far": Torn()})
    assert (row["status"], row["response"], row["error"]) == ("incomplete", "half an", "far hung up.")
    assert row["cost_usd"] > 0


class Counting(Scripted):
    """Knows how many calls are under way at most."""

    def __init__(self) -> None:
        super().__init__(["an answer"])
        self.now = self.most = 0

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(5):
            await asyncio.sleep(0)
        self.now -= 1
        return await super().ask(request)


def test_an_endpoint_gets_no_more_calls_than_it_has_slots(tmp_path: Path) -> None:
    one, two = (Candidate(name, "edge", "device", endpoint="http://same") for name in ("one", "two"))
    shared = Counting()
    far = Counting()
    plan = Plan((one, two, CLOUD), structs.replace(CALM, concurrency=3), slots={"one": 2})
    profiled(prompts(12), tmp_path, plan, {"one": shared, "two": shared, "far": far})
    assert shared.most == 2
    assert far.most == 3
    assert [lane.width for lane in lanes_for((one, two, CLOUD), 3, {})] == [3, 3]


def test_a_budget_is_not_exceeded_and_the_next_run_goes_on(tmp_path: Path) -> None:
    long = answering("word " * 200)
    plan = Plan((EDGE, CLOUD), CALM, budget_usd=0.005)
    upstreams = {"near": answering(), "far": long}
    tally, found = profiled(prompts(30), tmp_path, plan, upstreams)
    spent = sum(row["cost_usd"] for row in found)
    calls = len(long.asked)
    assert 0.003 < spent <= 0.005
    assert 0 < calls < 30
    assert tally.unaffordable == 30 - calls
    assert sum(row["candidate"] == "near" for row in found) == 30  # what costs nothing goes on
    _, found = profiled(prompts(30), tmp_path, plan, upstreams)
    assert len(long.asked) == calls  # the budget is the whole profile's
    _, found = profiled(prompts(30), tmp_path, Plan((EDGE, CLOUD), CALM, budget_usd=1.0), upstreams)
    assert len(found) == 60
    assert len(long.asked) == 30


def test_a_budget_needs_prices(tmp_path: Path) -> None:
    free = structs.replace(CLOUD, price=None)
    with pytest.raises(SettingsError, match="far has no price"):
        profiled(prompts(1), tmp_path, Plan((EDGE, free), budget_usd=1.0), {})
    _, found = profiled(prompts(1), tmp_path, Plan((free,), CALM), {"far": answering()})
    assert (found[0]["cost_usd"], found[0]["cost_state"]) == (None, "unpriced")


def test_rows_that_would_not_compare_are_refused(tmp_path: Path) -> None:
    upstreams = {"near": answering(), "far": answering()}
    profiled(prompts(2), tmp_path, Plan((EDGE,), CALM), upstreams)
    with pytest.raises(TableError, match=r"profiled with temperature = 0\.2, not 0\.9"):
        profiled(prompts(2), tmp_path, Plan((EDGE,), structs.replace(CALM, temperature=0.9)), upstreams)
    with pytest.raises(TableError, match=r"near is  \(edge\), not bigger"):
        profiled(prompts(2), tmp_path, Plan((structs.replace(EDGE, model="bigger"),), CALM), upstreams)
    tally, found = profiled(prompts(3), tmp_path, Plan((EDGE, CLOUD), CALM), upstreams)
    assert (tally.before, tally.total, len(found)) == (2, 6, 6)


def test_an_estimate_asks_nobody_and_knows_what_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    plan = Plan((EDGE, CLOUD), CALM)
    fresh = estimate(prompts(10), folder, plan, {"far": 2.0})
    assert not folder.exists()
    near, far = fresh
    assert (near.calls, far.calls, near.measured, far.measured) == (10, 10, False, True)
    assert far.takes_s == 2.0 * 10 / 4
    assert takes_s(fresh) == max(near.takes_s, far.takes_s)
    assert near.most_usd == 0.0
    assert far.most_usd is not None
    assert far.cost_usd is not None
    assert 0 < far.cost_usd < far.most_usd
    profiled(prompts(4), folder, plan, {"near": answering(), "far": answering()})
    left = estimate(prompts(10), folder, plan, {})
    assert [each.calls for each in left] == [6, 6]
    assert all(each.measured for each in left)


def test_the_most_that_a_call_can_cost_is_more_than_it_did(tmp_path: Path) -> None:
    [before] = estimate(prompts(5), tmp_path / "none", Plan((CLOUD,), CALM), {})
    _, found = profiled(prompts(5), tmp_path, Plan((CLOUD,), CALM), {"far": answering("word " * 255)})
    assert before.most_usd is not None
    assert sum(row["cost_usd"] for row in found) <= before.most_usd


def long_prompts(count: int) -> Iterator[Prompt]:
    return (Prompt(prompt=f"{n} " + "long " * 2_000) for n in range(count))


def peak(tmp_path: Path, count: int) -> int:
    """The most memory that profiling so many prompts of 10 kB takes."""

    class Forgetful(Scripted):
        async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
            answer = await super().ask(request)
            self.asked.clear()
            return answer

    async def run() -> None:
        upstream = Forgetful(lambda _: "yes")
        with profiler(
            long_prompts(count), tmp_path / str(count), Plan((EDGE,), CALM), {"near": upstream}
        ) as job:
            await job.run()

    tracemalloc.start()
    try:
        asyncio.run(run())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_prompts(tmp_path: Path) -> None:
    peak(tmp_path, 5)  # what is loaded on first use
    few, many = peak(tmp_path, 10), peak(tmp_path, 160)
    texts = 150 * 10_000  # far more than what a collector that comes late makes of a difference
    assert many - few < texts / 10
