"""pydantic-ai's own agents with a router in the slot of their model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, AudioUrl, BinaryContent, NativeOutput, UserError
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, candidates, last, settings

from edgewise import Router
from edgewise.integrations.pydantic_ai import EdgewiseModelSettings, RoutedModel
from edgewise.outcomes import LogReader
from edgewise.settings.load import from_tree

HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)


class City(BaseModel):
    name: str
    people: int


@feature("answers")
@feature("decision visible")
def test_an_agent_is_answered_and_told_by_whom(router: Router, tmp_path: Path) -> None:
    result = Agent(RoutedModel(router)).run_sync("What is the capital of France?")
    assert result.output == "It is Paris."
    assert (result.response.model_name, result.response.provider_name) == ("edge-1", "edgewise")
    details = result.response.provider_details or {}
    assert (details["candidate"], details["location"], details["reason"]) == ("edge", "edge", "optimal_edge")
    story = LogReader(tmp_path / "edgewise.sqlite").decision(details["decision_id"])
    assert story is not None
    assert story.decision.chosen == "edge"
    assert (result.usage.input_tokens, result.usage.output_tokens) == (11, 5)


def test_what_it_cost_is_known(router: Router) -> None:
    response = Agent(RoutedModel(router, "cloud")).run_sync("Capital?").response
    details = response.provider_details or {}
    assert (response.model_name, details["reason"], details["cost_state"]) == ("cloud-1", "pinned", "billed")
    assert float(response.usage.cost or 0) == pytest.approx(details["cost_usd"]) == pytest.approx(21e-6)


@feature("streaming")
@feature("async")
def test_words_come_as_they_are_said(router: Router, edge: Talker) -> None:
    async def listen() -> None:
        async with Agent(RoutedModel(router)).run_stream("Capital of France?") as run:
            assert (run.response.provider_details or {})["candidate"] == "edge"  # before anything is read
            pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
            assert pieces == ["It", " is", " Paris."]
            assert run.response.model_name == "edge-1"
            assert (run.usage.input_tokens, run.usage.output_tokens) == (11, 5)
            assert (run.response.provider_details or {})["cost_usd"] == 0.0

    asyncio.run(listen())
    assert edge.asked[0]["stream_options"] == {"include_usage": True}


@feature("tools")
def test_a_tool_is_called_and_its_result_goes_back(router: Router, edge: Talker) -> None:
    agent = Agent(RoutedModel(router), instructions="Be brief.")
    heard: list[str] = []

    @agent.tool_plain
    def capital_of(country: str) -> str:
        """The capital of a country."""
        heard.append(country)
        return "Paris"

    result = agent.run_sync("What is the capital of France?")
    assert (result.output, heard) == ("It is Paris.", ["France"])
    first, second = edge.asked
    assert first["tools"][0]["function"]["description"] == "The capital of a country."
    assert first["tool_choice"] == "auto"
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "tool"]
    assert second["messages"][2]["tool_calls"][0]["id"] == second["messages"][3]["tool_call_id"]


@feature("tools")
def test_a_streamed_tool_call_is_put_together(router: Router) -> None:
    agent = Agent(RoutedModel(router))

    @agent.tool_plain
    def capital_of(country: str) -> str:
        return {"France": "Paris"}[country]

    async def listen() -> None:
        async with agent.run_stream("Capital of France?") as run:
            assert [piece async for piece in run.stream_text(debounce_by=None)][-1] == "It is Paris."

    asyncio.run(listen())


def test_a_tool_loop_stays_with_whoever_called(edge: Talker, cloud: Talker) -> None:
    def six_times(body: Body) -> Said:
        steps = sum(m["role"] == "tool" for m in body["messages"])
        return call("step", {}, steps) if steps < 6 else "Done."

    edge.say = cloud.say = six_times
    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        agent = Agent(RoutedModel(router))

        @agent.tool_plain
        def step() -> str:
            return "go on"

        for _ in range(3):
            result = agent.run_sync("Go")
            reasons = [
                ((m.provider_details or {})["candidate"], (m.provider_details or {})["reason"])
                for m in result.new_messages()
                if isinstance(m, ModelResponse)
            ]
            assert len({candidate for candidate, _ in reasons}) == 1
            assert [reason for _, reason in reasons[1:]] == ["session"] * 6


def test_a_tool_that_shows_a_picture_shows_it_to_its_caller(edge: Talker, cloud: Talker) -> None:
    def look(body: Body) -> Said:
        return "A cat." if last(body)["role"] == "user" and len(body["messages"]) > 1 else call("photo", {})

    edge.say = cloud.say = look
    both = [{**one, "vision": True} for one in candidates(edge, cloud)]
    tree = {"policy": {"explore": 0.0, "options": {"threshold": 0.2}}, "candidates": both}
    with Router(from_tree(tree, source="test")) as router:
        agent = Agent(RoutedModel(router))

        @agent.tool_plain
        def photo() -> BinaryContent:
            return BinaryContent(b"png", media_type="image/png")

        result = agent.run_sync("Who?")  # the picture comes with words that read as a harder prompt
    assert result.output == "A cat."
    assert (len(edge.asked), len(cloud.asked)) == (2, 0)


@feature("structured output")
@pytest.mark.parametrize("native", [True, False])
def test_an_output_has_its_type(router: Router, edge: Talker, *, native: bool) -> None:
    edge.say = lambda body: (
        '{"name": "Paris", "people": 2100000}'
        if native
        else call(body["tools"][0]["function"]["name"], {"name": "Paris", "people": 2100000})
    )
    agent: Agent[None, City] = Agent(RoutedModel(router), output_type=NativeOutput(City) if native else City)
    assert agent.run_sync("Which city?").output == City(name="Paris", people=2_100_000)
    body = edge.asked[0]
    if native:
        assert body["response_format"]["json_schema"]["schema"]["required"] == ["name", "people"]
    else:
        assert body["tool_choice"] == "required"


def test_an_output_that_is_refused_is_asked_for_again(router: Router, edge: Talker) -> None:
    def second_time(body: Body) -> Said:
        name = body["tools"][0]["function"]["name"]
        return call(name, {"name": "Paris", "people": 2} if len(edge.asked) > 1 else {"name": "Paris"})

    edge.say = second_time
    agent: Agent[None, City] = Agent(RoutedModel(router), output_type=City)
    assert agent.run_sync("Which city?").output.people == 2
    assert "Field required" in last(edge.asked[1])["content"]


def test_a_history_goes_on(router: Router, edge: Talker) -> None:
    agent = Agent(RoutedModel(router), system_prompt="You know cities.")
    first = agent.run_sync("Capital of France?")
    agent.run_sync("And of Spain?", message_history=first.all_messages())
    said = [(m["role"], m["content"]) for m in edge.asked[1]["messages"]]
    assert said == [
        ("system", "You know cities."),
        ("user", "Capital of France?"),
        ("assistant", "It is Paris."),
        ("user", "And of Spain?"),
    ]


def test_pictures_go_to_whoever_sees(edge: Talker, cloud: Talker) -> None:
    both = candidates(edge, cloud)
    both[1]["vision"] = True
    with Router(from_tree({"candidates": both}, source="test")) as router:
        picture = BinaryContent(b"png", media_type="image/png")
        Agent(RoutedModel(router)).run_sync(["What is this?", picture])
    assert [part["type"] for part in cloud.asked[0]["messages"][0]["content"]] == ["text", "image_url"]


def test_what_is_neither_text_nor_picture_is_refused(router: Router) -> None:
    sound = AudioUrl("https://example.com/a.mp3")
    with pytest.raises(UserError, match="RoutedModel sends text and pictures; AudioUrl is neither"):
        Agent(RoutedModel(router)).run_sync(["Listen", sound])


def test_thoughts_are_kept_and_not_sent_on(edge: Talker, router: Router) -> None:
    edge.say = lambda _: {"reasoning_content": "hm", "content": "<think>let me see</think>\nParis"}
    agent = Agent(RoutedModel(router))
    result = agent.run_sync("Capital?")
    assert result.response.parts == [ThinkingPart("hm"), ThinkingPart("let me see"), TextPart("Paris")]
    agent.run_sync("Sure?", message_history=result.all_messages())
    assert edge.asked[-1]["messages"][1] == {"role": "assistant", "content": "Paris"}


@feature("settings")
def test_settings_reach_whoever_answers(router: Router, edge: Talker, cloud: Talker) -> None:
    wanted = EdgewiseModelSettings(
        temperature=0.2, max_tokens=50, top_p=0.9, seed=7, stop_sequences=["END"], extra_body={"mirostat": 1}
    )
    Agent(RoutedModel(router, settings=wanted)).run_sync("Hello?")
    body = edge.asked[0]
    sent = {key: body[key] for key in ("temperature", "max_tokens", "top_p", "seed", "stop", "mirostat")}
    assert sent == {
        "temperature": 0.2,
        "max_tokens": 50,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "mirostat": 1,
    }
    assert "edgewise" not in body
    only = EdgewiseModelSettings(edgewise_candidates=["cloud"], timeout=5)
    Agent(RoutedModel(router)).run_sync("Hello?", model_settings=only)
    assert len(cloud.asked) == 1


@feature("privacy")
def test_what_is_private_stays(router: Router, edge: Talker, cloud: Talker) -> None:
    agent = Agent(RoutedModel(router, privacy="local"))
    loose = EdgewiseModelSettings(extra_body={"edgewise": {"privacy": "region:eu"}})
    assert (agent.run_sync(HARD, model_settings=loose).response.provider_details or {})["candidate"] == "edge"
    edge.say = lambda _: 500
    with pytest.raises(Exception, match="edge says no"):
        agent.run_sync(HARD)
    assert cloud.asked == []


@feature("sessions")
def test_a_session_keeps_its_promise(router: Router, cloud: Talker, tmp_path: Path) -> None:
    Agent(RoutedModel(router, session="s1", privacy="local")).run_sync("My salary is 100.")
    response = Agent(RoutedModel(router, session="s1")).run_sync(HARD).response
    details = response.provider_details or {}
    assert (details["candidate"], cloud.asked) == ("edge", [])
    story = LogReader(tmp_path / "edgewise.sqlite").decision(details["decision_id"])
    assert story is not None
    assert (story.decision.session, story.decision.privacy) == ("s1", "local")


@feature("fallback")
@pytest.mark.parametrize("streams", [True, False])
def test_another_takes_over_before_the_first_word(router: Router, edge: Talker, *, streams: bool) -> None:
    edge.say = lambda _: 503
    agent = Agent(RoutedModel(router))

    async def ask() -> ModelResponse:
        if not streams:
            return (await agent.run("Capital?")).response
        async with agent.run_stream("Capital?") as run:
            await run.get_output()
            return run.response

    response = asyncio.run(ask())
    details = response.provider_details or {}
    assert (response.model_name, details["candidate"], details["reason"]) == ("cloud-1", "cloud", "fallback")


def test_hanging_up_reaches_the_endpoint(router: Router, edge: Talker) -> None:
    edge.say, edge.pause_s = (lambda _: "word " * 200), 0.05

    async def leave() -> None:
        async with Agent(RoutedModel(router)).run_stream("Go") as run:
            async for _ in run.stream_text(debounce_by=None):
                await run.cancel()
                break

    asyncio.run(leave())
    assert edge.hung_up.wait(10)


def test_many_at_once_from_one_model(router: Router, edge: Talker) -> None:
    edge.say = lambda body: f"I heard {last(body)['content']}"
    agent = Agent(RoutedModel(router))

    async def ask() -> list[str]:
        results = await asyncio.gather(*(agent.run(f"number {n}") for n in range(30)))
        return [result.output for result in results]

    assert asyncio.run(ask()) == [f"I heard number {n}" for n in range(30)]


def test_steps_can_be_looked_at(router: Router) -> None:
    agent = Agent(RoutedModel(router))

    @agent.tool_plain
    def capital_of(country: str) -> str:
        return country

    async def look() -> list[str]:
        async with agent.iter("Capital?") as run:
            return [type(node).__name__ async for node in run]

    steps = asyncio.run(look())
    assert steps[0] == "UserPromptNode"
    assert steps.count("ModelRequestNode") == 2
