"""Agents of OpenAI's SDK whose models are a router's choice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool, set_tracing_disabled
from openai import APIError, BadRequestError, NotFoundError
from pydantic import BaseModel
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, settings, talking

from edgewise import Router
from edgewise.domain.stories import Story
from edgewise.integrations.openai_agents import EdgewiseProvider
from edgewise.outcomes import LogReader

pytestmark = pytest.mark.slow
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)
set_tracing_disabled(disabled=True)


class City(BaseModel):
    name: str
    people: int


def capital(body: Body) -> Said:
    message = last(body)
    if message["role"] == "tool":
        return f"It is {message['content']}."
    if "tools" in body:
        return call(body["tools"][0]["function"]["name"], {"country": "France"})
    return "It is Paris."


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def edge() -> Iterator[Talker]:
    with talking(talker := Talker("edge", capital)):
        yield talker


@pytest.fixture
def cloud() -> Iterator[Talker]:
    with talking(talker := Talker("cloud", capital)):
        yield talker


@pytest.fixture
def router(edge: Talker, cloud: Talker) -> Iterator[Router]:
    with Router(settings(edge, cloud)) as opened:
        yield opened


def run(provider: EdgewiseProvider, prompt: str, agent: Agent[Any] | None = None) -> Any:
    """How an agent's run ends, with the provider's models."""
    config = RunConfig(model_provider=provider)
    return asyncio.run(Runner.run(agent or Agent("helper"), prompt, run_config=config))


def stories(home: Path) -> list[Story]:
    return LogReader(home / "edgewise.sqlite").latest()[::-1]


@feature("answers")
@feature("async")
@feature("decision visible")
def test_an_agent_is_answered_and_told_by_whom(router: Router, home: Path) -> None:
    result = run(EdgewiseProvider(router), "What is the capital of France?")
    assert result.final_output == "It is Paris."
    (response,) = result.raw_responses
    (story,) = stories(home)
    assert response.request_id == story.decision.id
    assert (story.decision.chosen, response.usage.input_tokens) == ("edge", 11)


def test_a_router_that_nobody_opened_is_opened(edge: Talker, cloud: Talker) -> None:
    assert run(EdgewiseProvider(settings(edge, cloud)), "Capital?").final_output == "It is Paris."


@feature("streaming")
def test_words_come_as_they_are_said(router: Router, home: Path) -> None:
    async def listen() -> tuple[list[str], Any]:
        config = RunConfig(model_provider=EdgewiseProvider(router))
        streamed = Runner.run_streamed(Agent("helper"), "Capital?", run_config=config)
        heard = [
            event.data.delta
            async for event in streamed.stream_events()
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
        ]
        return heard, streamed.raw_responses[0].request_id

    heard, decision = asyncio.run(listen())
    assert heard == ["It", " is", " Paris."]
    assert [story.decision.id for story in stories(home)] == [decision]


@feature("tools")
def test_a_tool_loop_stays_with_whoever_called(edge: Talker, cloud: Talker, home: Path) -> None:
    def six_times(body: Body) -> Said:
        steps = sum(m["role"] == "tool" for m in body["messages"])
        return call("step", {}, steps) if steps < 6 else "Done."

    edge.say = cloud.say = six_times

    @function_tool
    def step() -> str:
        """Goes a step."""
        return "go on"

    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        result = run(EdgewiseProvider(router), "Go", Agent("walker", tools=[step]))
    assert result.final_output == "Done."
    assert len({story.decision.chosen for story in stories(home)}) == 1
    assert [story.decision.reason for story in stories(home)][1:] == ["session"] * 6


@feature("structured output")
def test_an_output_has_its_type(router: Router, edge: Talker) -> None:
    edge.say = lambda _: '{"name": "Paris", "people": 2}'
    result = run(EdgewiseProvider(router), "Which?", Agent("typed", output_type=City))
    assert result.final_output == City(name="Paris", people=2)
    assert edge.asked[0]["response_format"]["type"] == "json_schema"


@feature("settings")
def test_settings_and_wishes_reach_the_router(router: Router, edge: Talker, cloud: Talker) -> None:
    wanted = ModelSettings(temperature=0.2, max_tokens=50, extra_headers={"x-edgewise-candidates": "cloud"})
    run(EdgewiseProvider(router), "Hello?", Agent("set", model_settings=wanted))
    assert (cloud.asked[0]["temperature"], cloud.asked[0]["max_tokens"], edge.asked) == (0.2, 50, [])
    run(EdgewiseProvider(router), "Hello?", Agent("pinned", model="cloud"))
    assert len(cloud.asked) == 2


@feature("fallback")
def test_another_takes_over(router: Router, edge: Talker, home: Path) -> None:
    edge.say = lambda _: 503
    assert run(EdgewiseProvider(router), "Capital?").final_output == "It is Paris."
    (story,) = stories(home)
    assert story.outcome is not None
    assert story.outcome.candidate == "cloud"


@feature("privacy")
def test_what_is_private_stays(router: Router, edge: Talker, cloud: Talker) -> None:
    loose = ModelSettings(extra_headers={"x-edgewise-privacy": "region:eu"})
    run(EdgewiseProvider(router, privacy="local"), HARD, Agent("private", model_settings=loose))
    edge.say = lambda _: 500
    with pytest.raises(APIError):
        run(EdgewiseProvider(router, privacy="local"), HARD)
    assert cloud.asked == []


@feature("sessions")
def test_a_session_keeps_its_promise(router: Router, cloud: Talker, home: Path) -> None:
    run(EdgewiseProvider(router, session="s1", privacy="local"), "My salary is 100.")
    run(EdgewiseProvider(router, session="s1"), HARD)
    assert cloud.asked == []
    assert [(s.decision.session, s.decision.privacy) for s in stories(home)] == [("s1", "local")] * 2


@feature("feedback")
def test_feedback_is_told(router: Router, home: Path) -> None:
    provider = EdgewiseProvider(router)
    result = run(provider, "Hello?")
    asyncio.run(provider.feedback(result.raw_responses[-1], success=1.0))
    (story,) = stories(home)
    assert [feedback.success for feedback in story.feedback] == [1.0]


@feature("errors")
def test_what_goes_wrong_is_openais_own_error(router: Router, edge: Talker) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'cloud'"):
        run(EdgewiseProvider(router), "Hello?", Agent("lost", model="clod"))
    edge.say = lambda _: 400
    with pytest.raises(BadRequestError, match="edge says no"):
        run(EdgewiseProvider(router), "Hello?")
