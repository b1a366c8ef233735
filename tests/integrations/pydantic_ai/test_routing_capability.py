"""Agents whose runs are placed once, and tell what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, ModelHTTPError, ModelRetry, NativeOutput, UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, settings

from edgewise import Router
from edgewise.domain.decisions import Feedback
from edgewise.domain.errors import RequestError, StoreError
from edgewise.integrations.pydantic_ai import RoutedModel, Routing, feedback_on
from edgewise.outcomes import LogReader

EASY = {"policy": {"explore": 0.0, "options": {"threshold": 0.3}}}
ONCE = {"execution": {"fallback": False, "retries": 0}}


class City(BaseModel):
    name: str
    people: int


def told(result: Any) -> list[tuple[str, str]]:
    """Who answered each step of a run, and why."""
    details = [m.provider_details or {} for m in result.new_messages() if isinstance(m, ModelResponse)]
    return [(said["candidate"], said["reason"]) for said in details]


def heard(home: Path) -> list[Feedback]:
    """All feedback in the log, in the order of the decisions."""
    stories = LogReader(home / "edgewise.sqlite").latest()
    return [feedback for story in reversed(stories) for feedback in story.feedback]


@pytest.fixture
def wordy(edge: Talker, cloud: Talker) -> Iterator[Router]:
    """A router that leaves the edge for any prompt of some length."""
    with Router(settings(edge, cloud, **EASY)) as opened:
        yield opened


def refuse_once(edge: Talker) -> None:
    """The first answer does not fit the output's type, the next ones do."""

    def say(body: Body) -> Said:
        first = len(body["messages"]) < 3
        return '{"name": "Paris"}' if first else '{"name": "Paris", "people": 2}'

    edge.say = say


def test_a_run_is_placed_once(wordy: Router, edge: Talker, cloud: Talker) -> None:
    refuse_once(edge)
    cloud.say = edge.say
    asked = NativeOutput(City)
    alone = Agent(RoutedModel(wordy), output_type=asked).run_sync("City?")
    assert [who for who, _ in told(alone)] == ["edge", "cloud"]  # the correction reads as a harder prompt
    routed = Agent(capabilities=[Routing(wordy)], output_type=asked).run_sync("City?")
    assert told(routed) == [("edge", "optimal_edge"), ("edge", "session")]


def test_a_tool_loop_stays_together(edge: Talker, cloud: Talker) -> None:
    def four_times(body: Body) -> Said:
        steps = sum(m["role"] == "tool" for m in body["messages"])
        return call("step", {}, steps) if steps < 4 else "Done."

    edge.say = cloud.say = four_times
    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        agent = Agent(capabilities=[Routing(router)])

        @agent.tool_plain
        def step() -> str:
            return "on"

        async def both() -> list[Any]:
            return await asyncio.gather(*(agent.run("Go") for _ in range(8)))

        results = asyncio.run(both())
    placed = [told(result) for result in results]
    assert all(len({who for who, _ in run}) == 1 for run in placed)
    assert len({run[0][0] for run in placed}) == 2  # each run was placed for itself


@feature("fallback")
def test_another_is_chosen_where_the_first_fails(edge: Talker, cloud: Talker) -> None:
    edge.say = lambda _: 400  # nobody takes over from a refusal by himself
    with Router(settings(edge, cloud)) as router:
        with pytest.raises(ModelHTTPError, match="edge says no"):
            Agent(RoutedModel(router)).run_sync("Hello?")
        result = Agent(capabilities=[Routing(router)]).run_sync("Hello?")
    assert [who for who, _ in told(result)] == ["cloud"]
    failed = result.response.failed_attempts or []
    assert len(failed) == 1


def test_another_is_chosen_before_a_streams_first_word(router: Router, edge: Talker) -> None:
    edge.say = lambda _: 400

    async def listen() -> tuple[list[str], list[tuple[str, str]]]:
        async with Agent(capabilities=[Routing(router)]).run_stream("Hello?") as run:
            pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
            return pieces, told(run)

    pieces, placed = asyncio.run(listen())
    assert (pieces, [who for who, _ in placed]) == (["It", " is", " Paris."], ["cloud"])


def test_who_failed_is_not_asked_again_in_a_run(edge: Talker, cloud: Talker) -> None:
    def say(body: Body) -> Said:
        return 400 if last(body)["role"] == "tool" else call("step", {})

    edge.say = say
    cloud.say = lambda body: call("step", {}, 1) if len(body["messages"]) < 5 else "Done."
    with Router(settings(edge, cloud, **ONCE)) as router:
        agent = Agent(capabilities=[Routing(router)])

        @agent.tool_plain
        def step() -> str:
            return "on"

        result = agent.run_sync("Go")
    assert [who for who, _ in told(result)] == ["edge", "cloud", "cloud"]
    assert len(edge.asked) == 2


@pytest.mark.parametrize("pin", [None, "edge"])
def test_where_nobody_is_left_the_first_failure_is_told(
    router: Router, edge: Talker, cloud: Talker, pin: str | None
) -> None:
    edge.say = lambda _: 422
    cloud.say = lambda _: 413
    with pytest.raises(ModelHTTPError, match="edge says no"):
        Agent(capabilities=[Routing(router, pin or "auto")]).run_sync("Hello?")
    assert len(cloud.asked) == (0 if pin else 1)


def test_a_private_run_fails_rather_than_leave(router: Router, edge: Talker, cloud: Talker) -> None:
    edge.say = lambda _: 400
    with pytest.raises(ModelHTTPError, match="edge says no"):
        Agent(capabilities=[Routing(router, privacy="local")]).run_sync("Hello?")
    assert cloud.asked == []


def test_a_stream_is_placed_once_too(wordy: Router, edge: Talker, cloud: Talker) -> None:
    refuse_once(edge)
    cloud.say = edge.say

    async def seen(_: Any, events: AsyncIterable[Any]) -> None:
        async for _event in events:
            pass

    agent = Agent(capabilities=[Routing(wordy)], output_type=NativeOutput(City))
    result = asyncio.run(agent.run("City?", event_stream_handler=seen))
    assert told(result) == [("edge", "optimal_edge"), ("edge", "session")]
    assert all(body["stream"] for body in edge.asked)


@feature("feedback")
def test_what_was_refused_was_no_success(router: Router, edge: Talker, home: Path) -> None:
    refuse_once(edge)
    Agent(capabilities=[Routing(router)], output_type=NativeOutput(City)).run_sync("City?")
    assert [(f.source, f.success) for f in heard(home)] == [("pydantic-ai", 0.0), ("pydantic-ai", 1.0)]


def test_a_tool_that_was_called_wrongly_was_no_success(router: Router, home: Path) -> None:
    agent = Agent(capabilities=[Routing(router)])

    asked: list[str] = []

    @agent.tool_plain
    def capital_of(country: str) -> str:
        asked.append(country)
        if len(asked) == 1:
            raise ModelRetry("Say it in French.")
        return "Paris"

    agent.run_sync("Capital?")
    assert [f.success for f in heard(home)] == [0.0]  # plain text passes no check: nothing is said of it


def test_a_run_that_never_passes_was_no_success(router: Router, edge: Talker, home: Path) -> None:
    edge.say = lambda _: '{"name": "Paris"}'
    agent = Agent(capabilities=[Routing(router)], output_type=NativeOutput(City), retries=1)
    with pytest.raises(UnexpectedModelBehavior):
        agent.run_sync("City?")
    assert [f.success for f in heard(home)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("judged", "said"),
    [(True, {"success": 1.0}), (0.25, {"success": 0.25}), ({"rating": 4.0}, {"rating": 4.0}), (None, {})],
)
def test_a_judge_of_ones_own(router: Router, home: Path, judged: Any, said: dict[str, float]) -> None:
    agent = Agent(capabilities=[Routing(router, judge=lambda _: judged)])
    agent.run_sync("Hello?")
    found = [{"success": f.success, "rating": f.rating} for f in heard(home)]
    assert [{name: value for name, value in one.items() if value is not None} for one in found] == (
        [said] if said else []
    )


def test_nothing_is_said_where_nobody_wants_it(router: Router, edge: Talker, home: Path) -> None:
    refuse_once(edge)
    Agent(capabilities=[Routing(router, feedback=False)], output_type=NativeOutput(City)).run_sync("City?")
    assert heard(home) == []


def test_a_log_that_fails_costs_no_result(
    router: Router, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(RoutedModel, "feedback", full)
    agent = Agent(capabilities=[Routing(router, judge=lambda _: True)])
    assert agent.run_sync("Hello?").output == "It is Paris."
    assert "What came of a run is not written down: The disk is full." in caplog.text


@feature("feedback")
def test_feedback_from_outside(router: Router, home: Path) -> None:
    routing: Routing[None] = Routing(router)
    result = Agent(capabilities=[routing]).run_sync("Hello?")
    asyncio.run(routing.feedback(result, thumbs="up"))
    feedback_on(router, result.response, rating=5.0).result()
    assert {(f.thumbs, f.rating) for f in heard(home)} == {("up", None), (None, 5.0)}
    with pytest.raises(RequestError, match="rating"):
        feedback_on(router, result, rating=9.0).result()
