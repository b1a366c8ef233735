"""The command `llm` with a model that is a router's choice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llm
import pytest
from llm.errors import ModelError
from pydantic import BaseModel
from tests.integrations.features import feature
from tests.integrations.talkers import Body, Said, Talker, call, last, settings, talking

from edgewise import Router
from edgewise.domain.stories import Story
from edgewise.integrations.llm import EdgewiseAsyncModel, EdgewiseModel, register_models
from edgewise.integrations.opening import Opening
from edgewise.outcomes import LogReader

pytestmark = pytest.mark.slow
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)


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


def capital_of(country: str) -> str:
    """The capital of a country."""
    return {"France": "Paris"}[country]


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
def model(router: Router) -> EdgewiseModel:
    return EdgewiseModel(Opening(router))


def stories(home: Path) -> list[Story]:
    return LogReader(home / "edgewise.sqlite").latest()[::-1]


@feature("answers")
@feature("decision visible")
def test_an_answer_says_who_gave_it(model: EdgewiseModel, home: Path) -> None:
    for stream in (False, True):
        response = model.prompt("What is the capital of France?", system="Be brief.", stream=stream)
        assert response.text() == "It is Paris."
        assert response.resolved_model == "edge-1"
        assert (response.usage().input, response.usage().output) == (11, 5)
        assert response.response_json is not None
        said = response.response_json["edgewise"]
        assert said["decision_id"] == stories(home)[-1].decision.id
        assert (said["candidate"], said["location"], said["finish_reason"]) == ("edge", "edge", "stop")


@feature("async")
def test_it_answers_on_an_event_loop(router: Router) -> None:
    model = EdgewiseAsyncModel(Opening(router))

    async def listen() -> tuple[list[str], str]:
        heard = [word async for word in model.prompt("Capital?")]
        return heard, await model.prompt("Capital?", stream=False).text()

    assert asyncio.run(listen()) == (["It", " is", " Paris."], "It is Paris.")


@feature("streaming")
def test_words_come_as_they_are_said(model: EdgewiseModel) -> None:
    assert list(model.prompt("Capital?")) == ["It", " is", " Paris."]


@feature("tools")
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_whoever_called_gets_its_result(
    stream: bool, edge: Talker, cloud: Talker, home: Path
) -> None:
    with Router(settings(edge, cloud, policy={"kind": "random", "explore": 0.0})) as router:
        for _ in range(6):
            chain = EdgewiseModel(Opening(router)).chain("Capital?", tools=[capital_of], stream=stream)
            assert chain.text() == "It is Paris."
    told = stories(home)
    assert [one.decision.chosen for one in told[1::2]] == [one.decision.chosen for one in told[::2]]
    assert {story.decision.reason for story in told[1::2]} == {"session"}


def test_arguments_that_are_no_json_are_told(model: EdgewiseModel, edge: Talker) -> None:
    broken = call("capital_of", {})
    broken["tool_calls"][0]["function"]["arguments"] = '{"country": '
    edge.say = lambda _: broken
    with pytest.raises(ModelError, match="'capital_of' has arguments that are no JSON"):
        model.prompt("Capital?", tools=[llm.Tool.function(capital_of)]).text()


@feature("structured output")
def test_an_output_has_its_schema(model: EdgewiseModel, edge: Talker) -> None:
    edge.say = lambda _: '{"name": "Paris", "people": 2}'
    response = model.prompt("Which?", schema=City)
    assert City.model_validate_json(response.text()) == City(name="Paris", people=2)
    assert edge.asked[0]["response_format"]["json_schema"]["schema"]["title"] == "City"


@feature("settings")
def test_options_reach_the_router(model: EdgewiseModel, edge: Talker, cloud: Talker) -> None:
    model.prompt("Hello?", temperature=0.2, max_tokens=50, seed=7, candidates="cloud").text()
    (asked,) = cloud.asked
    assert (asked["temperature"], asked["max_tokens"], asked["seed"], edge.asked) == (0.2, 50, 7, [])
    model.prompt("Hello?", options={"model": "cloud"}).text()
    assert len(cloud.asked) == 2


@feature("fallback")
def test_another_takes_over(model: EdgewiseModel, edge: Talker) -> None:
    edge.say = lambda _: 503
    response = model.prompt("Capital?")
    assert response.text() == "It is Paris."
    assert response.resolved_model == "cloud-1"


@feature("privacy")
def test_what_is_private_stays(model: EdgewiseModel, edge: Talker, cloud: Talker) -> None:
    model.prompt(HARD, privacy="local").text()
    edge.say = lambda _: 500
    with pytest.raises(ModelError):
        model.prompt(HARD, privacy="local").text()
    assert cloud.asked == []


@feature("sessions")
def test_a_session_keeps_its_promise(model: EdgewiseModel, cloud: Talker, home: Path) -> None:
    model.prompt("My salary is 100.", session="s1", privacy="local").text()
    model.prompt(HARD, session="s1").text()
    assert cloud.asked == []
    assert [(s.decision.session, s.decision.privacy) for s in stories(home)] == [("s1", "local")] * 2


@feature("errors")
def test_what_goes_wrong_is_a_sentence(model: EdgewiseModel, edge: Talker) -> None:
    with pytest.raises(ModelError, match="Did you mean 'cloud'"):
        model.prompt("Hello?", options={"model": "clod"}).text()
    edge.breaks = True
    heard: list[str] = []
    with pytest.raises(ModelError):
        heard.extend(model.prompt("Capital?"))
    assert heard == ["It"]


def test_a_conversation_and_its_pictures_are_sent(model: EdgewiseModel, cloud: Talker) -> None:
    conversation = model.conversation()
    conversation.prompt("Capital?").text()
    picture = llm.Attachment(type="image/png", content=b"\x89PNG")
    conversation.prompt("And here?", attachments=[picture]).text()
    said: list[Any] = cloud.asked[0]["messages"]
    assert [(one["role"], one["content"]) for one in said[:2]] == [
        ("user", "Capital?"),
        ("assistant", "It is Paris."),
    ]
    assert said[2]["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw=="


def test_nothing_is_read_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_CONFIG", "/nowhere/edgewise.toml")
    registered: list[Any] = []
    register_models(lambda *models: registered.extend(models))
    assert [one.model_id for one in registered] == ["edgewise", "edgewise"]
    with pytest.raises(ModelError, match=r"/nowhere/edgewise\.toml"):
        registered[0].prompt("Capital?").text()


@pytest.mark.usefixtures("installed")
def test_the_command_finds_the_plug_in(edge: Talker, tmp_path: Path) -> None:
    """Installed, as the command reads it from the entry points of pyproject.toml."""
    (tmp_path / "edgewise.toml").write_text(
        f'[[candidates]]\nid = "phi"\nlocation = "edge"\nurl = "{edge.url}"\n'
    )
    ran = subprocess.run(
        [sys.executable, "-m", "llm", "-m", "edgewise", "-o", "privacy", "local", "What is the capital?"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert (ran.stdout, ran.returncode) == ("It is Paris.\n", 0), ran.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "llm", "logs", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (logged,) = json.loads(shown.stdout)
    assert logged["response_json"]["edgewise"]["candidate"] == "phi"
