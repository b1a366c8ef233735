"""LiteLLM with a provider, and a routing strategy, that are a router's choice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest
from pydantic import BaseModel
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, settings, talking

from edgewise import Router
from edgewise.domain.stories import Story
from edgewise.integrations.litellm import EdgewiseLLM, EdgewiseStrategy, register
from edgewise.outcomes import LogReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # LiteLLM's own models make pydantic warn
    pytest.mark.filterwarnings("error:::edgewise"),
]
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)
TOOLS = [{"type": "function", "function": {"name": "capital_of", "parameters": {"type": "object"}}}]


class City(BaseModel):
    name: str
    people: int


def capital(body: Body) -> Said:
    message = last(body)
    if message["role"] == "tool":
        return f"It is {message['content']}."
    if "tools" in body:
        return call(body["tools"][0]["function"]["name"], {"country": "France"}, len(body["messages"]))
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


@pytest.fixture
def handler(router: Router) -> EdgewiseLLM:
    return register(router)


def ask(prompt: str | list[Any] = "Capital?", model: str = "edgewise/auto", **more: Any) -> Any:
    """What LiteLLM answers."""
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return litellm.completion(model, messages, **more)


def stories(home: Path) -> list[Story]:
    return LogReader(home / "edgewise.sqlite").latest()[::-1]


@feature("answers")
@feature("decision visible")
@pytest.mark.usefixtures("handler")
def test_an_answer_says_who_gave_it(home: Path) -> None:
    response = ask("What is the capital of France?")
    (story,) = stories(home)
    assert response.choices[0].message.content == "It is Paris."
    assert response.edgewise["decision_id"] == story.decision.id
    assert (response.edgewise["candidate"], response.edgewise["reason"]) == ("edge", story.decision.reason)
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (11, 5)


@feature("async")
@pytest.mark.usefixtures("handler")
def test_it_answers_on_an_event_loop() -> None:
    async def asked() -> tuple[Any, list[str]]:
        said = [{"role": "user", "content": "Capital?"}]
        whole = await litellm.acompletion("edgewise/auto", said)
        stream: Any = await litellm.acompletion("edgewise/auto", said, stream=True)
        heard = [chunk.choices[0].delta.content async for chunk in stream]
        return whole, [words for words in heard if words]

    whole, heard = asyncio.run(asked())
    assert whole.choices[0].message.content == "It is Paris."
    assert heard == ["It", " is", " Paris."]


@feature("streaming")
@pytest.mark.usefixtures("handler")
def test_words_come_as_they_are_said(home: Path) -> None:
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    said = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert [words for words in said if words] == ["It", " is", " Paris."]
    (told,) = {chunk.edgewise["decision_id"] for chunk in chunks if getattr(chunk, "edgewise", None)}
    (story,) = stories(home)
    assert told == story.decision.id
    (usage,) = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 5)
    ends = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert [end for end in ends if end] == ["stop"]


@feature("tools")
@pytest.mark.parametrize("stream", [False, True])
def test_a_tools_result_goes_to_whoever_called(stream: bool, edge: Talker, cloud: Talker, home: Path) -> None:
    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        register(router)
        for number in range(6):
            said: list[Any] = [{"role": "user", "content": "Capital?"}] * (number + 1)
            response = ask(said, tools=TOOLS, tool_choice="required", stream=stream)
            if stream:
                response = litellm.stream_chunk_builder(list(response))
            message = response.choices[0].message
            (made,) = message.tool_calls
            assert (made.function.name, made.function.arguments) == ("capital_of", '{"country": "France"}')
            result = {"role": "tool", "tool_call_id": made.id, "content": "Paris"}
            answer = ask([*said, message.model_dump(), result], tools=TOOLS)
            assert answer.choices[0].message.content == "It is Paris."
    told = stories(home)
    assert len(told) == 12
    assert [one.decision.chosen for one in told[1::2]] == [one.decision.chosen for one in told[::2]]
    assert {story.decision.reason for story in told[1::2]} == {"session"}
    assert (edge.asked + cloud.asked)[0]["tool_choice"] == "required"


@feature("structured output")
@pytest.mark.usefixtures("handler")
def test_an_output_has_its_schema(edge: Talker) -> None:
    edge.say = lambda _: '{"name": "Paris", "people": 2}'
    response = ask("Which?", response_format=City)
    assert City.model_validate_json(response.choices[0].message.content) == City(name="Paris", people=2)
    assert edge.asked[0]["response_format"]["type"] == "json_schema"


@feature("settings")
@pytest.mark.usefixtures("handler")
def test_settings_and_wishes_reach_the_router(edge: Talker, cloud: Talker) -> None:
    ask("Hello?", temperature=0.2, max_tokens=50, extra_headers={"x-edgewise-candidates": "cloud"})
    (asked,) = cloud.asked
    assert (asked["temperature"], asked["max_tokens"], edge.asked) == (0.2, 50, [])
    ask("Hello?", model="edgewise/cloud")
    ask("Hello?", extra_body={"edgewise": {"candidates": ["cloud"]}})
    assert (len(cloud.asked), edge.asked) == (3, [])


@feature("fallback")
@pytest.mark.usefixtures("handler")
def test_another_takes_over(edge: Talker) -> None:
    edge.say = lambda _: 503
    assert ask().edgewise["candidate"] == "cloud"


@feature("privacy")
def test_what_is_private_stays(router: Router, edge: Talker, cloud: Talker) -> None:
    register(router, privacy="local")
    ask(HARD, extra_headers={"x-edgewise-privacy": "region:eu"})
    edge.say = lambda _: 500
    with pytest.raises(litellm.exceptions.InternalServerError):
        ask(HARD)
    assert cloud.asked == []


@feature("sessions")
@pytest.mark.usefixtures("handler")
def test_a_session_keeps_its_promise(cloud: Talker, home: Path) -> None:
    ask("My salary is 100.", extra_body={"edgewise": {"session": "s1", "privacy": "local"}})
    ask(HARD, extra_headers={"x-edgewise-session": "s1"})
    assert cloud.asked == []
    assert [(s.decision.session, s.decision.privacy) for s in stories(home)] == [("s1", "local")] * 2


@feature("feedback")
def test_feedback_is_told(handler: EdgewiseLLM, home: Path) -> None:
    handler.feedback(ask(), rating=5)
    (story,) = stories(home)
    assert [one.rating for one in story.feedback] == [5]
    with pytest.raises(ValueError, match="names no decision"):
        handler.feedback(litellm.ModelResponse(), rating=5)


@feature("errors")
@pytest.mark.usefixtures("handler")
def test_what_goes_wrong_is_litellms_own_error(edge: Talker) -> None:
    with pytest.raises(litellm.exceptions.NotFoundError, match="Did you mean 'cloud'"):
        ask(model="edgewise/clod")
    edge.say = lambda _: 400
    with pytest.raises(litellm.exceptions.BadRequestError, match="edge"):
        ask()


def deployments(edge: Talker, cloud: Talker) -> list[dict[str, Any]]:
    return [
        {
            "model_name": "any",
            "litellm_params": {"model": f"openai/{one.name}-1", "api_base": one.url, "api_key": "sk-x"},
            "model_info": {"id": one.name},
        }
        for one in (edge, cloud)
    ]


def test_litellms_router_asks_whom_edgewise_chooses(router: Router, edge: Talker, cloud: Talker) -> None:
    asked = litellm.Router(model_list=deployments(edge, cloud), num_retries=0)
    asked.set_custom_routing_strategy(EdgewiseStrategy(asked, router))
    easy = [{"role": "user", "content": "Capital?"}]
    hard = [{"role": "user", "content": HARD}]

    async def both() -> None:
        for messages in (easy, hard, easy, hard):
            await asked.acompletion("any", messages)

    asyncio.run(both())
    assert (len(edge.asked), len(cloud.asked)) == (2, 2)
    assert {last(body)["content"] for body in cloud.asked} == {HARD}
    asked.completion("any", hard)
    assert len(cloud.asked) == 3


def test_the_strategy_keeps_to_its_wishes(router: Router, edge: Talker, cloud: Talker) -> None:
    asked = litellm.Router(model_list=deployments(edge, cloud), num_retries=0)
    asked.set_custom_routing_strategy(EdgewiseStrategy(asked, router, privacy="local"))
    asked.completion("any", [{"role": "user", "content": HARD}])
    assert (len(edge.asked), cloud.asked) == (1, [])
    others = [{**one, "model_info": {"id": f"other-{n}"}} for n, one in enumerate(deployments(edge, cloud))]
    strange = litellm.Router(model_list=others, num_retries=0)
    strange.set_custom_routing_strategy(EdgewiseStrategy(strange, router))
    with pytest.raises(Exception, match="None of the deployments of 'any' is a candidate"):
        strange.completion("any", [{"role": "user", "content": "Capital?"}])
