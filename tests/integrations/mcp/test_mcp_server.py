"""What an assistant may ask, by the protocol's own client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import time
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.server import MCPServer
from tests.integrations.features import feature
from tests.integrations.talkers import Talker, settings, talking

from edgewise import EdgewiseError, Router
from edgewise.domain.feedback import checked_feedback
from edgewise.domain.ids import mint
from edgewise.integrations.mcp import server
from edgewise.settings import Settings
from edgewise.settings.load import from_tree

pytestmark = pytest.mark.slow
FILE = """
[policy]
explore = 0.0
[[candidates]]
id = "phi"
location = "edge"
script = { replies = ["Paris."] }
[[candidates]]
id = "gpt"
location = "cloud"
script = { replies = ["Certainly: Paris."] }
price = { input = 1.0, output = 2.0 }
"""
HARD = (
    "Prove that this urgent, terrible and angering disaster is unacceptable, escalate it to a manager! " * 4
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def both() -> Settings:
    phi = {"id": "phi", "location": "edge", "script": {"replies": ["Paris.", "Paris."]}}
    priced = {"price": {"input": 1.0, "output": 2.0}}
    gpt = {"id": "gpt", "location": "cloud", "script": {"replies": ["Certainly: Paris."]}, **priced}
    return from_tree({"policy": {"explore": 0.0}, "candidates": [phi, gpt]}, source="test")


def using(asked: MCPServer | StdioServerParameters, use: Callable[[Client], Awaitable[Any]]) -> Any:
    async def talk() -> Any:
        async with Client(asked) as client:
            return await use(client)

    return asyncio.run(talk())


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool says: its text, or the JSON in it."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    if result.is_error:
        return text
    return json.loads(text) if text.startswith("{") else text


@feature("answers")
@feature("decision visible")
def test_who_would_answer_is_told(both: Settings) -> None:
    easy = using(server(both), lambda client: called(client, "route", prompt="Capital of France?"))
    assert (easy["candidate"], easy["reason"], easy["odds"]) == (
        "phi",
        "optimal_edge",
        {"phi": 1.0, "gpt": 0.0},
    )
    hard = using(server(both), lambda client: called(client, "route", prompt=HARD))
    assert hard["candidate"] == "gpt"


@feature("privacy")
def test_what_is_private_stays(both: Settings) -> None:
    said = using(server(both), lambda client: called(client, "route", prompt=HARD, local=True))
    assert (said["candidate"], said["objections"][0]["rule"]) == ("phi", "privacy")


@feature("privacy")
def test_an_assistant_hears_no_words_of_what_was_private(both: Settings) -> None:
    with Router(both) as router:
        asked = router.ask("My secret is 1234.", local=True).reply()
        words = "It kept the secret 1234."
        said = checked_feedback(id=mint(), decision_id=asked.decision.id, at=time(), comment=words)

        async def noted() -> None:
            await router.opened.log.append(said)

        router.waited(noted())
        asked_openly = router.ask("My number is 5678.").reply()
        private = using(server(router), lambda c: called(c, "explain", decision=asked.decision.id))
        public = using(server(router), lambda c: called(c, "explain", decision=asked_openly.decision.id))
    assert "1234" not in private
    assert "Paris" not in private
    assert "it is private, local" in private
    assert "5678" in public


@feature("errors")
def test_what_cannot_be_is_one_sentence(both: Settings) -> None:
    async def wrong(client: Client) -> list[str]:
        return [
            await called(client, "route", prompt="Hi", model="gtp"),
            await called(client, "explain", decision="nobody"),
            await called(client, "stats", hours=0),
        ]

    model, decision, hours = using(server(both), wrong)
    assert "Did you mean 'gpt'?" in model
    assert "There is no decision 'nobody' in the log." in decision
    assert "`hours` is a number above 0." in hours


@feature("async")
def test_the_log_is_told_and_summed_up(both: Settings) -> None:
    with Router(both) as router:
        for _ in range(3):
            router.ask("Hello?").reply()
        asked = router.ask("Hello?", model="gpt").reply()
        told = using(server(router), lambda client: called(client, "explain", decision=asked.decision.id))
        numbers = using(server(router), lambda client: called(client, "stats"))
    assert "gpt" in told
    assert (numbers["requests"], numbers["edge_share"], numbers["refused"]) == (4, 0.75, 0)
    assert {name: of["answered"] for name, of in numbers["candidates"].items()} == {"gpt": 1, "phi": 3}
    assert asked.outcome is not None
    assert numbers["cost_usd"] == pytest.approx(asked.outcome.cost_usd)


def test_failures_and_those_who_took_over_are_counted_apart() -> None:
    edge, cloud = Talker("edge", lambda _: 503), Talker("cloud", lambda _: "Yes.")
    with talking(edge, cloud), Router(settings(edge, cloud)) as router:
        router.ask("Hello?").reply()  # the edge fails, the cloud takes over
        with pytest.raises(EdgewiseError):
            router.ask("Hello?", model="edge").reply()
        with pytest.raises(EdgewiseError):
            router.ask("Hello?", candidates=["cloud"], local=True).reply()
        numbers = using(server(router), lambda client: called(client, "stats"))
    assert (numbers["requests"], numbers["refused"], numbers["edge_share"]) == (3, 1, 0.0)
    counted = {name: (of["answered"], of["failed"]) for name, of in numbers["candidates"].items()}
    assert counted == {"cloud": (1, 0), "edge": (0, 1)}


def test_an_empty_log_has_numbers_too(both: Settings) -> None:
    numbers = using(server(both), lambda client: called(client, "stats"))
    assert (numbers["requests"], numbers["edge_share"], numbers["candidates"]) == (0, None, {})


def test_the_command_speaks_on_standard_input_and_output(home: Path) -> None:
    (home / "edgewise.toml").write_text(FILE)
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "edgewise.cli", "mcp", "--config", str(home / "edgewise.toml")],
        env=dict(os.environ),
    )

    async def use(client: Client) -> tuple[list[str], Any]:
        tools = await client.list_tools()
        return [tool.name for tool in tools.tools], await called(client, "route", prompt="Capital?")

    names, said = using(command, use)
    assert names == ["route", "explain", "stats"]
    assert said["candidate"] == "phi"
