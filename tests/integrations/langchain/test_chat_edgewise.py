"""LangChain's chat model whose answers are a router's choice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError, ModelNotFoundError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from pydantic import BaseModel
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, settings, talking

from edgewise import Router
from edgewise.domain.stories import Story
from edgewise.integrations.langchain import ChatEdgewise
from edgewise.outcomes import LogReader

pytestmark = pytest.mark.slow
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)


class City(BaseModel):
    name: str
    people: int


@tool
def capital_of(country: str) -> str:
    """The capital of a country."""
    return {"France": "Paris"}[country]


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


def stories(home: Path) -> list[Story]:
    return LogReader(home / "edgewise.sqlite").latest()[::-1]


@feature("answers")
@feature("decision visible")
def test_an_answer_says_who_gave_it(router: Router, home: Path) -> None:
    message = ChatEdgewise(router=router).invoke("What is the capital of France?")
    (story,) = stories(home)
    assert message.content == "It is Paris."
    assert message.response_metadata == {
        "model_provider": "edgewise",
        "decision_id": story.decision.id,
        "candidate": "edge",
        "location": "edge",
        "policy": "complexity",
        "reason": story.decision.reason,
        "model_name": "edge-1",
        "finish_reason": "stop",
        "cost_usd": 0.0,
        "cost_state": message.response_metadata["cost_state"],
    }
    assert message.usage_metadata is not None
    assert (message.usage_metadata["input_tokens"], message.usage_metadata["total_tokens"]) == (11, 16)


@feature("answers")
def test_it_is_a_link_of_a_chain(router: Router, edge: Talker) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "Capital of {country}?")])
    chain = prompt | ChatEdgewise(router=router) | StrOutputParser()
    assert chain.batch([{"country": "France"}, {"country": "Spain"}]) == ["It is Paris."] * 2
    assert edge.asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}


@feature("async")
def test_it_answers_on_any_event_loop(router: Router) -> None:
    model = ChatEdgewise(router=router)
    for _ in range(2):
        assert asyncio.run(model.ainvoke("Capital?")).content == "It is Paris."


def test_a_router_that_nobody_opened_is_opened(edge: Talker, cloud: Talker) -> None:
    model = ChatEdgewise(router=settings(edge, cloud))
    assert model.invoke("Capital?").content == "It is Paris."
    assert asyncio.run(model.ainvoke("Capital?")).content == "It is Paris."


def total(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


@feature("streaming")
def test_words_come_as_they_are_said(router: Router, home: Path) -> None:
    model = ChatEdgewise(router=router)
    chunks: list[Any] = list(model.stream("Capital?"))

    async def listen() -> list[Any]:
        return [chunk async for chunk in model.astream("Capital?")]

    for heard, story in zip([chunks, asyncio.run(listen())], stories(home), strict=True):
        assert [chunk.content for chunk in heard if chunk.content] == ["It", " is", " Paris."]
        assert heard[0].response_metadata["decision_id"] == story.decision.id
        whole = total(heard)
        assert whole.response_metadata["candidate"] == "edge"
        assert whole.response_metadata["finish_reason"] == "stop"
        assert whole.response_metadata["model_name"] == "edge-1"
        assert whole.usage_metadata is not None
        assert whole.usage_metadata["output_tokens"] == 5


@feature("streaming")
def test_who_stops_listening_hangs_up(edge: Talker, cloud: Talker, home: Path) -> None:
    edge.say, edge.pause_s = (lambda _: "word " * 500), 0.02
    with Router(settings(edge, cloud)) as router:
        stream: Any = ChatEdgewise(router=router).stream("Capital?")
        while not next(stream).content:
            pass
        stream.close()
        assert edge.hung_up.wait(10)
    (story,) = stories(home)
    assert story.outcome is not None
    assert story.outcome.status == "cancelled"


@feature("tools")
def test_a_tool_is_called_and_its_result_goes_back_to_whoever_called(
    edge: Talker, cloud: Talker, home: Path
) -> None:
    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        model = ChatEdgewise(router=router).bind_tools([capital_of], tool_choice="any")
        for _ in range(6):
            said: list[Any] = [HumanMessage("Capital of France?"), called := model.invoke("Capital?")]
            assert called.tool_calls[0]["args"] == {"country": "France"}
            answer = model.invoke([*said, capital_of.invoke(called.tool_calls[0])])
            assert answer.content == "It is Paris."
    told = stories(home)
    assert [one.decision.chosen for one in told[1::2]] == [one.decision.chosen for one in told[::2]]
    assert {story.decision.reason for story in told[1::2]} == {"session"}
    assert (edge.asked + cloud.asked)[0]["tool_choice"] == "required"


@feature("tools")
def test_a_streamed_call_is_put_together(router: Router) -> None:
    chunks: list[Any] = list(ChatEdgewise(router=router).bind_tools([capital_of]).stream("Capital?"))
    (made,) = total(chunks).tool_calls
    assert (made["name"], made["args"], made["id"]) == (
        "capital_of",
        {"country": "France"},
        "call_capital_of_0",
    )


def test_arguments_that_are_no_json_are_told(router: Router, edge: Talker) -> None:
    broken = call("capital_of", {})
    broken["tool_calls"][0]["function"]["arguments"] = '{"country": '
    edge.say = lambda _: broken
    message = ChatEdgewise(router=router).bind_tools([capital_of]).invoke("Capital?")
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == '{"country": '


@feature("structured output")
def test_an_output_has_its_type(router: Router, edge: Talker) -> None:
    model = ChatEdgewise(router=router)
    edge.say = lambda _: '{"name": "Paris", "people": 2}'
    assert model.with_structured_output(City).invoke("Which?") == City(name="Paris", people=2)
    assert edge.asked[0]["response_format"]["json_schema"]["name"] == "City"
    schema = City.model_json_schema()
    assert model.with_structured_output(schema).invoke("Which?") == {"name": "Paris", "people": 2}
    assert model.with_structured_output(schema, method="json_mode").invoke("Which?") == {
        "name": "Paris",
        "people": 2,
    }
    edge.say = lambda _: "I would rather not."
    raw: Any = model.with_structured_output(City, include_raw=True).invoke("Which?")
    assert (raw["raw"].content, raw["parsed"]) == ("I would rather not.", None)
    assert raw["parsing_error"] is not None


@feature("structured output")
def test_an_output_may_be_a_call(router: Router, edge: Talker) -> None:
    edge.say = lambda body: call(body["tools"][0]["function"]["name"], {"name": "Paris", "people": 2})
    model = ChatEdgewise(router=router).with_structured_output(City, method="function_calling")
    assert model.invoke("Which?") == City(name="Paris", people=2)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="The method 'telepathy' does not exist"):
        ChatEdgewise().with_structured_output(City, method="telepathy")


@feature("settings")
def test_settings_and_wishes_reach_the_router(router: Router, edge: Talker, cloud: Talker) -> None:
    model = ChatEdgewise(router=router, temperature=0.2, max_tokens=50, model_kwargs={"seed": 7})
    model.invoke("Hello?", stop=["."], candidates=["cloud"])
    (asked,) = cloud.asked
    assert (asked["temperature"], asked["max_tokens"], asked["seed"], asked["stop"]) == (0.2, 50, 7, ["."])
    ChatEdgewise(router=router, model="cloud").invoke("Hello?")
    ChatEdgewise(router=router, candidates=["cloud"]).invoke("Hello?")
    assert (len(cloud.asked), edge.asked) == (3, [])
    assert "edgewise" not in asked


@feature("fallback")
def test_another_takes_over(router: Router, edge: Talker, home: Path) -> None:
    edge.say = lambda _: 503
    message = ChatEdgewise(router=router).invoke("Capital?")
    assert message.response_metadata["candidate"] == "cloud"
    assert next(ChatEdgewise(router=router).stream("Capital?")).response_metadata["candidate"] == "cloud"


@feature("privacy")
def test_what_is_private_stays(router: Router, edge: Talker, cloud: Talker) -> None:
    model = ChatEdgewise(router=router, privacy="local")
    model.invoke(HARD, privacy="region:eu")
    edge.say = lambda _: 500
    with pytest.raises(ModelAPIError):
        model.invoke(HARD)
    assert cloud.asked == []


@feature("sessions")
def test_a_session_keeps_its_promise(router: Router, cloud: Talker, home: Path) -> None:
    ChatEdgewise(router=router, session="s1", privacy="local").invoke("My salary is 100.")
    ChatEdgewise(router=router).invoke(HARD, session="s1")
    assert cloud.asked == []
    assert [(s.decision.session, s.decision.privacy) for s in stories(home)] == [("s1", "local")] * 2


@feature("feedback")
def test_feedback_is_told(router: Router, home: Path) -> None:
    model = ChatEdgewise(router=router)
    message = model.invoke("Hello?")
    model.feedback(message, rating=5)
    asyncio.run(model.afeedback(message.response_metadata["decision_id"], success=0.0))
    (story,) = stories(home)
    assert [(one.rating, one.success) for one in story.feedback] == [(5, None), (None, 0.0)]
    with pytest.raises(ValueError, match="name no decision"):
        model.feedback(AIMessage("mine"), rating=1)


@feature("errors")
def test_what_goes_wrong_is_langchains_own_error(router: Router, edge: Talker, cloud: Talker) -> None:
    with pytest.raises(ModelNotFoundError, match="Did you mean 'cloud'"):
        ChatEdgewise(router=router, model="clod").invoke("Hello?")
    edge.say = lambda _: 400
    with pytest.raises(ModelInvalidRequestError, match="edge"):
        asyncio.run(ChatEdgewise(router=router, model="edge").ainvoke("Hello?"))
    edge.say, edge.breaks = (lambda _: "It is Paris."), True
    heard: list[str] = []
    with pytest.raises(ModelAPIError):
        heard.extend(chunk.text for chunk in ChatEdgewise(router=router).stream("Hello?"))
    assert "It" in heard


def test_a_conversation_is_sent_as_openai_writes_it(router: Router, cloud: Talker) -> None:
    picture = {"type": "image", "base64": "iVBORw0K", "mime_type": "image/png"}
    ChatEdgewise(router=router).invoke(
        [
            SystemMessage("Be brief."),
            HumanMessage(["Look", picture]),
            AIMessage("Hm", tool_calls=[{"name": "capital_of", "args": {"country": "France"}, "id": "1"}]),
            ToolMessage("Paris", tool_call_id="1"),
        ]
    )
    said = cloud.asked[0]["messages"]
    assert [message["role"] for message in said] == ["system", "user", "assistant", "tool"]
    assert said[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw0K"
    assert said[2]["tool_calls"][0]["function"]["name"] == "capital_of"
    assert (said[3]["tool_call_id"], said[3]["content"]) == ("1", "Paris")
