"""The edge first, one answer for the client, both calls on the bill; the edge's where the cloud fails."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.execution.cascading import (
    CLOUD,
    EDGE,
    GO,
    LONGER,
    RULES,
    SHORT,
    STAY,
    Gated,
    World,
    broken,
    words,
)
from tests.execution.fakes import refused

from edgewise.domain.candidates import Candidate, Price
from edgewise.domain.decisions import Decision, Odds, draw
from edgewise.domain.protocols import Upstream
from edgewise.domain.signals import Signal
from edgewise.execution.cascade import LATE
from edgewise.policies import Explore
from edgewise.policies.cascade.policy import Cascade
from edgewise.settings import ExecutionSettings, Settings
from edgewise.settings.schema import BudgetSettings
from edgewise.upstreams.scripted import Scripted

AT_ONCE = 0.01  # seconds: whatever is waited for this long in vain is given up
BOTH = pytest.mark.parametrize("stream", [False, True])
OFFLINE = {"online:cloud": Signal("online:cloud", 0.0, "state", 1.8e9, "test", "critical")}
SPENT = {"spent_usd": Signal("spent_usd", 10.0, "usd", 1.8e9, "test", "critical")}
LIMITED = Settings(budget=BudgetSettings(usd_per_day=1.0))


@BOTH
def test_what_stays_is_never_seen_by_the_cloud(stream: bool) -> None:
    world = World()
    said, told = world.tell(STAY, stream=stream)
    assert (said, world.asked) == ("from the edge", ["edge"])
    assert (told.chosen, told.location, told.reason) == ("edge", "edge", "optimal_edge")
    assert world.decision == told
    assert (told.odds, told.propensity) == ({"edge": 1.0, "cloud": 0.0}, 1.0)
    assert told.evidence["escalated"] == 0.0
    assert world.attempts == [("edge", "ok")]
    assert world.outcome.response == "from the edge"


@BOTH
def test_what_goes_was_answered_by_the_edge_first_and_both_are_paid_for(stream: bool) -> None:
    world = World()
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked) == ("from the cloud", ["edge", "cloud"])
    assert (told.chosen, told.location, told.reason) == ("cloud", "cloud", "high_complexity")
    assert world.decision == told
    assert (told.odds, told.propensity) == ({"edge": 0.0, "cloud": 1.0}, 1.0)
    assert told.evidence["rule:person"] == told.evidence["escalated"] == 1.0
    assert world.attempts == [("edge", "ok"), ("cloud", "ok")]
    edge, cloud = world.outcome.attempts
    assert edge.cost_usd
    assert cloud.cost_usd
    assert world.outcome.cost_usd == edge.cost_usd + cloud.cost_usd
    assert (world.outcome.candidate, world.outcome.response) == ("cloud", "from the cloud")
    assert edge.started_s + edge.latency_s <= cloud.started_s


@BOTH
@pytest.mark.parametrize("failure", [refused(500), refused(400), broken(), RuntimeError("unforeseen")])
def test_where_the_cloud_fails_the_edges_answer_goes_out(stream: bool, failure: Exception) -> None:
    world = World(cloud=Scripted([failure]))
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked) == ("from the edge", ["edge", "cloud"])
    assert (told.chosen, told.location, told.reason) == ("edge", "edge", "fallback")
    assert world.decision.chosen == "cloud"  # as it was drawn
    assert world.attempts == [("edge", "ok"), ("cloud", "error")]
    outcome = world.outcome
    assert (outcome.status, outcome.candidate, outcome.error) == ("ok", "edge", None)
    assert outcome.cost_usd == outcome.attempts[0].cost_usd
    assert outcome.output_tokens == outcome.attempts[0].output_tokens


@BOTH
def test_where_the_cloud_is_late_the_edges_answer_goes_out(stream: bool) -> None:
    cloud = Gated("never", skip_s=LONGER)
    world = World(cloud=cloud, hold_s=SHORT)
    said, told = world.tell(GO, stream=stream)
    assert (said, told.chosen, told.reason) == ("from the edge", "edge", "fallback")
    assert cloud.cut == 1
    edge, late = world.outcome.attempts
    assert (edge.status, late.candidate, late.status, late.error) == ("ok", "cloud", "cancelled", LATE)
    assert late.cost_usd  # it had the prompt by then
    assert world.outcome.cost_usd == (edge.cost_usd or 0.0) + late.cost_usd
    assert world.outcome.status == "ok"
    assert world.outcome.ttft_s is not None
    assert world.outcome.ttft_s >= late.started_s + late.latency_s  # the client saw nothing until then


def test_a_deadline_of_the_request_counts_as_well() -> None:
    world = World(cloud=Gated("never", skip_s=LONGER))
    said, _ = world.tell(GO, wishes={"deadline": str(SHORT)})
    assert said == "from the edge"
    assert world.attempts[0] == ("edge", "ok")


def test_an_edge_that_still_writes_is_passed_on_without_a_second_decision() -> None:
    edge = Gated("one two three", whole_words=1)
    world = World(edge, hold_s=AT_ONCE)

    async def main() -> str:
        answer = await world.answer(GO, stream=True)
        edge.gate.set()
        return await words(answer)

    assert asyncio.run(main()) == "one two three"
    assert world.asked == ["edge"]
    assert (world.decision.chosen, world.decision.reason) == ("edge", "optimal_edge")
    assert world.attempts == [("edge", "ok")]
    assert world.outcome.response == "one two three"
    assert edge.closed == 1


@BOTH
@pytest.mark.parametrize("whole_words", [0, 1])
def test_an_edge_that_fails_while_it_is_held_is_taken_over_from(stream: bool, whole_words: int) -> None:
    edge = Gated("one two three", whole_words if stream else 0, broken())
    edge.gate.set()
    world = World(edge)
    said, told = world.tell(STAY, stream=stream)
    assert (said, told.chosen, told.reason) == ("from the cloud", "cloud", "fallback")
    assert world.decision.chosen == "edge"
    assert world.attempts == [("edge", "error"), ("cloud", "ok")]


def test_an_edge_that_falls_silent_while_it_is_held_is_taken_over_from() -> None:
    edge = Gated("one two three", whole_words=1, skip_s=LONGER)
    world = World(edge, limits=ExecutionSettings(retries=0, idle_s=SHORT))
    said, told = world.tell(STAY, stream=True)
    assert (said, told.reason) == ("from the cloud", "fallback")
    assert "sent nothing for" in (world.outcome.attempts[0].error or "")
    assert (edge.cut, edge.closed) == (1, 1)


@BOTH
@pytest.mark.parametrize("who", ["edge", "cloud"])
def test_a_client_that_hangs_up_ends_whoever_is_asked(stream: bool, who: str) -> None:
    slow = Gated("never", 1 if stream and who == "edge" else 0)
    world = World(slow if who == "edge" else None, slow if who == "cloud" else None)

    async def main() -> None:
        running = asyncio.create_task(world.answer(GO, stream=stream))
        await slow.waits.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert slow.cut == 1
    assert world.asked == (["edge"] if who == "edge" else ["edge", "cloud"])
    outcome = world.outcome
    assert (outcome.status, outcome.error) == ("cancelled", "The client hung up.")
    assert world.attempts == ([] if who == "edge" else [("edge", "ok")]) + [(who, "cancelled")]
    assert outcome.cost_usd == sum(attempt.cost_usd or 0.0 for attempt in outcome.attempts)
    assert world.decision.id == outcome.decision_id


def test_a_client_that_hangs_up_while_the_held_answer_goes_out_pays_for_it_once() -> None:
    world = World(cloud=Scripted([broken()]))

    async def main() -> None:
        answer = await world.answer(GO, stream=True)
        assert answer.pieces is not None
        await anext(answer.pieces)
        await answer.pieces.aclose()

    asyncio.run(main())
    assert (world.outcome.status, world.outcome.candidate) == ("cancelled", "edge")
    assert world.attempts == [("edge", "ok"), ("cloud", "error")]
    assert world.outcome.cost_usd == world.outcome.attempts[0].cost_usd


@BOTH
def test_private_and_pinned_requests_are_neither_escalated_nor_held(stream: bool) -> None:
    for options, reason in (
        ({"wishes": {"privacy": "local"}}, "privacy"),
        ({"model": "edge"}, "pinned"),
        ({"wishes": {"candidates": "edge"}}, "only_candidate"),
    ):
        world = World(hold_s=AT_ONCE)
        said, told = world.tell(GO, stream=stream, **options)
        assert (said, world.asked, told.reason) == ("from the edge", ["edge"], reason)


@BOTH
@pytest.mark.parametrize("signals", [[OFFLINE, OFFLINE], [{}, OFFLINE], [SPENT, SPENT], [{}, SPENT]])
def test_offline_and_over_budget_stays_also_where_that_is_known_only_by_now(stream: bool, signals) -> None:
    spent = any("spent_usd" in seen for seen in signals)
    before = {"spent_usd": replace(SPENT["spent_usd"], value=0.0, state="normal")}
    looks = [seen or (before if spent else {}) for seen in signals]
    free = replace(EDGE, price=Price(0.0, 0.0))
    world = World(settings=LIMITED if spent else None, signals=looks, candidates=(free, CLOUD))
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked) == ("from the edge", ["edge"])
    assert told.reason == ("budget" if spent else "offline")
    assert {o.candidate for o in world.decision.objections} == {"cloud"}
    assert world.decision.propensity == 1.0


@BOTH
def test_an_open_circuit_is_not_asked_and_the_edges_answer_goes_out(stream: bool) -> None:
    world = World()
    for _ in range(50):
        world.executor.circuits.failed("cloud", 0, refused(500), 0.0)
    assert not world.executor.circuits.is_closed("cloud")
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked, told.reason) == ("from the edge", ["edge"], "fallback")


def test_a_region_that_the_cloud_does_not_lie_in_is_not_left() -> None:
    world = World()
    assert world.tell(GO, wishes={"privacy": "region:us"})[0] == "from the edge"
    assert world.asked == ["edge"]
    world = World()
    assert world.tell(GO, wishes={"privacy": "region:eu"})[0] == "from the cloud"
    assert world.asked == ["edge", "cloud"]


@BOTH
def test_where_no_edge_may_answer_the_cloud_is_all_there_is(stream: bool) -> None:
    world = World()
    said, told = world.tell(STAY, stream=stream, wishes={"candidates": "cloud"})
    assert (said, world.asked, told.reason) == ("from the cloud", ["cloud"], "only_candidate")


@BOTH
def test_a_policy_that_fails_to_read_lets_the_answer_go_out(stream: bool) -> None:
    class Broken(Cascade, frozen=True):
        def forecast(self, situation, answer) -> Odds:
            raise RuntimeError(situation, answer)

    world = World(policy=Broken(rules=RULES))
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked, told.reason) == ("from the edge", ["edge"], "optimal_edge")


@BOTH
def test_a_policy_that_insists_on_who_may_not_answer_gets_nowhere(stream: bool) -> None:
    class Unruly(Cascade, frozen=True):
        def forecast(self, situation, answer) -> Odds:
            assert [c.id for c in situation.shortlist] == [answer.candidate]
            return Odds({"edge": 0.0, "cloud": 1.0})

    world = World(policy=Unruly(), signals=[{}, OFFLINE])
    said, told = world.tell(GO, stream=stream)
    assert (said, world.asked, told.chosen) == ("from the edge", ["edge"], "edge")


def test_hedging_asks_nobody_beside_an_answer_that_is_held() -> None:
    edge = Gated("from the edge")
    world = World(edge, limits=ExecutionSettings(retries=0, hedge=True, hedge_after_s=0.0))

    async def main() -> str:
        running = asyncio.create_task(world.told(STAY))
        await edge.waits.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        edge.gate.set()
        return (await running)[0]

    assert asyncio.run(main()) == "from the edge"
    assert world.asked == ["edge"]


def test_texts_that_are_not_kept_are_read_all_the_same() -> None:
    heard: list[str] = []

    class Reads(Cascade, frozen=True):
        def forecast(self, situation, answer) -> Odds:
            heard.append(answer.text)
            return super().forecast(situation, answer)

    for stream in (False, True):
        world = World(policy=Reads(), keep_text=False)
        world.tell(STAY, stream=stream)
        assert world.outcome.response is None
    assert heard == ["from the edge", "from the edge"]


def test_of_two_edges_the_first_answers_and_of_two_clouds_the_lightest() -> None:
    far = Candidate("far", "cloud", "cloud", price=Price(1.0, 1.0))
    slow = {"online:cloud": Signal("online:cloud", 0.5, "state", 1.8e9, "test", "constrained")}
    world = World(candidates=(EDGE, CLOUD, far), signals=[slow, slow])
    assert world.tell(GO)[0] == "from the edge"  # there is no upstream called far: that call fails
    assert world.decision.chosen == "far"
    assert world.decision.shortlist == ("edge", "cloud", "far")


ENDS = ["ok", "error", "breaks", "never"]


def upstream(name: str, end: str, *, stream: bool) -> Upstream:
    if end == "ok":
        return Scripted([f"from the {name}"])
    if end == "never":
        return Gated("never", skip_s=LONGER)
    gated = Gated("one two three", 1 if stream and end == "breaks" else 0, broken())
    gated.gate.set()
    return gated


@given(
    st.booleans(), st.sampled_from([STAY, GO]), st.sampled_from(ENDS[:3]), st.sampled_from(ENDS), st.data()
)
def test_the_laws(stream: bool, prompt: str, edge: str, cloud: str, data: st.DataObject) -> None:
    assume("ok" in (edge, cloud))  # where nobody answers, `test_fallback` says what happens
    rate = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    inner = Cascade(rules=RULES, hold_s=SHORT)
    world = World(
        *(upstream(*who, stream=stream) for who in (("edge", edge), ("cloud", cloud))),
        policy=Explore(inner, rate),
    )
    number = data.draw(st.integers(0, 16**13 - 1))
    said, told = world.tell(prompt, stream=stream, id=f"req_{number:032x}")
    decision, outcome = world.decision, world.outcome
    assert told.chosen == outcome.candidate
    assert world.asked[0] == "edge"
    assert world.asked in (["edge"], ["edge", "cloud"])
    assert len(outcome.attempts) == len(world.asked)
    assert outcome.cost_usd == sum(attempt.cost_usd or 0.0 for attempt in outcome.attempts)
    assert decision.propensity == decision.odds[decision.chosen] > 0.0
    assert sum(decision.odds.values()) == pytest.approx(1.0)
    if edge == "ok":
        assert decision.chosen == draw(Odds(decision.odds), decision.id)
        assert ("cloud" in world.asked) == (decision.chosen == "cloud")
        assert set(decision.odds.values()) == ({rate / 2, 1 - rate / 2} if prompt == STAY else {0.0, 1.0})
    wanted = edge != "ok" or decision.chosen == "cloud"
    if wanted and cloud == "breaks" and stream:  # its first word is out: nobody can take that back
        assert (said, outcome.status) == ("one", "incomplete")
    else:
        by_cloud = wanted and cloud == "ok"
        assert (said, outcome.status) == ("from the cloud" if by_cloud else "from the edge", "ok")


def test_exploration_draws_after_the_edge_has_answered() -> None:
    seen: list[Decision] = []
    for number in range(0, 16, 2):
        world = World(policy=Explore(Cascade(), 1.0))
        world.tell(STAY, id=f"req_{number:020x}{0:012x}")
        assert world.asked[0] == "edge"
        assert world.decision.propensity == 0.5
        assert world.decision.reason == ("explored" if world.decision.chosen == "cloud" else "optimal_edge")
        seen.append(world.decision)
    assert [d.chosen for d in seen] == ["edge"] * 4 + ["cloud"] * 4  # the id draws: below and above one half
