"""LlamaIndex in front of a real gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from openai import APIStatusError, NotFoundError
from pydantic import BaseModel
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, talking
from tests.servers import Running, gateway

from edgewise.integrations.llamaindex import edgewise_llm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # the library's own
    pytest.mark.filterwarnings("error:::edgewise"),
]
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)
FILE = """
[policy]
explore = 0.0
[[candidates]]
id = "edge"
location = "edge"
url = "{edge}"
model = "edge-1"
[[candidates]]
id = "cloud"
location = "cloud"
url = "{cloud}"
model = "cloud-1"
"""


class City(BaseModel):
    """A city."""

    name: str
    people: int


def capital(body: Body) -> Said:
    message = last(body)
    if message["role"] == "tool":
        return f"It is {message['content']}."
    if "tools" in body:
        return call(body["tools"][0]["function"]["name"], {"country": "France"})
    return "It is Paris."


@pytest.fixture
def edge() -> Iterator[Talker]:
    with talking(talker := Talker("edge", capital)):
        yield talker


@pytest.fixture
def cloud() -> Iterator[Talker]:
    with talking(talker := Talker("cloud", capital)):
        yield talker


@pytest.fixture
def running(edge: Talker, cloud: Talker, tmp_path: Path) -> Iterator[Running]:
    file = FILE.format(edge=edge.url, cloud=cloud.url)
    with gateway(tmp_path, file, env={"EDGEWISE_SIGNALS": "off"}) as one:
        yield one


def of(running: Running, **more: Any) -> Any:
    return edgewise_llm(f"{running.url}/v1", **more)


@feature("answers")
@feature("decision visible")
def test_an_answer_names_its_decision(running: Running) -> None:
    response = of(running).chat([ChatMessage(role="user", content="What is the capital of France?")])
    assert response.message.content == "It is Paris."
    assert of(running).complete("Capital?").text == "It is Paris."
    assert running.get(f"/v1/decisions/{response.raw._request_id}")[0] == 200
    assert response.raw.model == "edge-1"


@feature("async")
@feature("streaming")
def test_words_come_as_they_are_said(running: Running) -> None:
    said = [ChatMessage(role="user", content="Capital?")]
    assert [piece.delta for piece in of(running).stream_chat(said) if piece.delta] == ["It", " is", " Paris."]

    async def listen() -> tuple[str, list[str]]:
        model = of(running)
        heard = [piece.delta async for piece in await model.astream_chat(said)]
        return (await model.acomplete("Capital?")).text, [words for words in heard if words]

    assert asyncio.run(listen()) == ("It is Paris.", ["It", " is", " Paris."])


@feature("tools")
def test_a_tool_is_called(running: Running) -> None:
    def capital_of(country: str) -> str:
        """The capital of a country."""
        return {"France": "Paris"}[country]

    tool = FunctionTool.from_defaults(capital_of)
    response = of(running).predict_and_call([tool], user_msg="Capital of France?")
    assert str(response) == "Paris"


@feature("structured output")
def test_an_output_has_its_type(running: Running, edge: Talker) -> None:
    edge.say = lambda body: call(body["tools"][0]["function"]["name"], {"name": "Paris", "people": 2})
    said = [ChatMessage(role="user", content="Which?")]
    assert of(running).as_structured_llm(City).chat(said).raw == City(name="Paris", people=2)


@feature("settings")
@feature("privacy")
def test_settings_and_wishes_reach_the_gateway(running: Running, edge: Talker, cloud: Talker) -> None:
    of(running, wishes={"candidates": "cloud"}, temperature=0.2, max_tokens=50).complete("Hello?")
    (asked,) = cloud.asked
    assert (asked["temperature"], asked["max_tokens"], edge.asked) == (0.2, 50, [])
    of(running, model="cloud").complete("Hello?")
    assert len(cloud.asked) == 2
    of(running, wishes={"privacy": "local"}).complete(HARD)
    assert (len(edge.asked), len(cloud.asked)) == (1, 2)


@feature("sessions")
def test_a_session_keeps_its_promise(running: Running, cloud: Talker) -> None:
    of(running, wishes={"session": "s1", "privacy": "local"}).complete("My salary is 100.")
    of(running, wishes={"session": "s1"}).complete(HARD)
    assert cloud.asked == []


@feature("fallback")
@feature("errors")
def test_what_goes_wrong_is_openais_own_error(running: Running, edge: Talker, cloud: Talker) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'cloud'"):
        of(running, model="clod").complete("Hello?")
    edge.say = lambda _: 503
    assert of(running).complete("Capital?").text == "It is Paris."
    cloud.say = lambda _: 503
    with pytest.raises(APIStatusError):
        of(running).complete("Capital?")


def test_key_and_address_are_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert edgewise_llm().api_key == "unused"
    monkeypatch.setenv("EDGEWISE_API_KEY", "ew-1")
    monkeypatch.setenv("EDGEWISE_BASE_URL", "http://box:8787/v1")
    model = edgewise_llm()
    assert (model.api_key, model.api_base) == ("ew-1", "http://box:8787/v1")
