"""What the client does with models and agents, in one process with two servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.clouds import Server, served

from edgewise.domain.errors import EdgewiseError, RequestError, SettingsError
from edgewise.integrations.oblix import Blocked, ModelType, NoAnswer, OblixClient
from edgewise.integrations.oblix.agents import BaseAgent, ConnectivityAgent, ResourceMonitor
from edgewise.outcomes import LogReader

KEY = "sk-canary-0123456789abcdef"
EDGE, SMALL, LARGE = "ollama:phi", "openai:gpt-3.5-turbo", "openai:gpt-4"


@pytest.fixture
def edge() -> Iterator[Server]:
    with served(Server(ollama=True)) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Server]:
    with served(Server(ollama=False)) as server:
        yield server


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


class Says(BaseAgent):
    """Says what it was told to say, and remembers what it was asked."""

    def __init__(self, name: str = "mine", **said: Any) -> None:
        super().__init__(name)
        self.said: Any = said
        self.asked: list[dict[str, Any]] = []
        self.ended = 0

    async def check(self, **kwargs: Any) -> dict[str, Any]:
        self.asked.append(kwargs)
        if isinstance(self.said, Exception):
            raise self.said
        said: dict[str, Any] = self.said
        return said

    async def shutdown(self) -> None:
        self.ended += 1


@asynccontextmanager
async def hooked(edge: Server, cloud: Server, *agents: BaseAgent) -> AsyncGenerator[OblixClient]:
    """A client with one edge and two clouds."""
    client = OblixClient(oblix_api_key="unused")
    assert await client.hook_model(ModelType.OLLAMA, "phi", endpoint=edge.url)
    for name in ("gpt-3.5-turbo", "gpt-4"):
        assert await client.hook_model(ModelType.OPENAI, name, endpoint=cloud.url, api_key=KEY)
    for agent in agents:
        assert client.hook_agent(agent)
    try:
        yield client
    finally:
        await client.shutdown()


def using(
    edge: Server, cloud: Server, use: Callable[[OblixClient], Awaitable[None]], *agents: BaseAgent
) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), hooked(edge, cloud, *agents) as client:
            await use(client)

    asyncio.run(run())


def test_an_answer_says_all_that_programs_read(edge: Server, cloud: Server, tmp_path: Path) -> None:
    async def use(client: OblixClient) -> None:
        answer = await client.execute("What is the capital of France?", temperature=0.5, max_tokens=None)
        assert set(answer) == {"request_id", "model_id", "response", "metrics", "agent_checks"}
        assert (answer["model_id"], answer["response"]) == (EDGE, "phi says Paris.")
        metrics = answer["metrics"]
        assert (metrics["input_tokens"], metrics["output_tokens"]) == (5, 4)
        assert 0 < metrics["time_to_first_token"] <= metrics["total_latency"] < 60
        assert metrics["tokens_per_second"] == pytest.approx(4 / metrics["total_latency"])
        assert answer["agent_checks"] == {}
        assert edge.bodies[0]["options"] == {"temperature": 0.5}
        found = LogReader(tmp_path / "edgewise.sqlite").decision(answer["request_id"])
        assert found is not None
        cloudy = await client.execute("And of Spain?", model_id=SMALL)
        assert (cloudy["model_id"], cloudy["response"]) == (SMALL, "gpt-3.5-turbo says Paris.")
        assert (cloudy["metrics"]["input_tokens"], cloudy["metrics"]["output_tokens"]) == (7, 3)

    using(edge, cloud, use)


@pytest.mark.parametrize(("target", "models"), [("local", {EDGE}), ("cloud", {SMALL}), ("hybrid", {EDGE})])
def test_an_agent_is_obeyed_on_every_request(
    target: str, models: set[str], edge: Server, cloud: Server
) -> None:
    agent = Says(proceed=True, target=target, state="mine_alone")

    async def use(client: OblixClient) -> None:
        answers = [await client.execute(f"Question {n}?") for n in range(4)]
        assert {answer["model_id"] for answer in answers} == models
        assert answers[-1]["agent_checks"]["mine"]["state"] == "mine_alone"
        assert set(answers[-1]["agent_checks"]["mine"]) == {"proceed", "state", "target", "reason", "metrics"}
        assert [one["prompt"] for one in agent.asked] == [f"Question {n}?" for n in range(4)]
        assert {candidate.id for candidate in agent.asked[0]["candidates"]} == {EDGE, SMALL, LARGE}
        agent.said = {"target": "cloud" if target != "cloud" else "local"}
        assert (await client.execute("Changed?"))["model_id"] == (SMALL if target != "cloud" else EDGE)

    using(edge, cloud, use, agent)


def test_an_agent_blocks(edge: Server, cloud: Server) -> None:
    agent = Says(proceed=False, reason="Not on Sundays.")

    async def use(client: OblixClient) -> None:
        for pinned in (None, EDGE):
            with pytest.raises(Blocked, match=r"^The agent 'mine' blocked the request: Not on Sundays\.$"):
                await client.execute("Hello?", model_id=pinned)

    using(edge, cloud, use, Says("first", target="cloud"), agent)
    assert (edge.asked, cloud.asked) == ([], [])


def test_a_pinned_model_is_never_replaced(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?", model_id=LARGE))["model_id"] == LARGE
        cloud.status = 500
        with pytest.raises(NoAnswer, match=r"^No model answered: openai:gpt-4: answered with HTTP 500\.$"):
            await client.execute("Hello?", model_id=LARGE)

    using(edge, cloud, use, Says(target="local"))
    assert edge.asked == []


def test_harder_prompts_go_further_up(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?"))["model_id"] == SMALL
        hard = "Compare, in one long sentence that weighs every argument, " + "proof and counterproof " * 20
        assert (await client.execute(hard))["model_id"] == LARGE

    using(edge, cloud, use, Says(target="cloud"))


def test_who_fails_is_replaced(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        cloud.status = 500
        assert (await client.execute("Hello?"))["model_id"] == EDGE
        assert sorted(cloud.asked) == ["gpt-3.5-turbo", "gpt-4"]  # those at the target come first
        edge.status = 500
        with pytest.raises(NoAnswer) as caught:
            await client.execute("Hello?")
        assert set(caught.value.reasons) == {EDGE, SMALL, LARGE}
        assert "\n" not in str(caught.value)
        assert all(name in str(caught.value) for name in (EDGE, SMALL, LARGE))
        edge.status = cloud.status = 200
        assert (await client.execute("Hello?"))["model_id"] == SMALL

    using(edge, cloud, use, Says(target="cloud"))


def test_nobody_at_the_target_means_everybody(edge: Server) -> None:
    async def use() -> None:
        client = OblixClient()
        await client.hook_model(ModelType.OLLAMA, "phi", endpoint=edge.url)
        client.hook_agent(Says(target="cloud"))
        assert (await client.execute("Hello?"))["model_id"] == EDGE
        await client.shutdown()

    asyncio.run(use())


@pytest.mark.parametrize("said", [RuntimeError("it broke"), None, "cloud"])
def test_an_agent_that_fails_has_no_say(said: Any, edge: Server, cloud: Server) -> None:
    agent = Says("broken")
    agent.said = said

    async def use(client: OblixClient) -> None:
        answer = await client.execute("Hello?")
        assert answer["model_id"] == SMALL
        check = answer["agent_checks"]["broken"]
        assert (check["proceed"], check["state"], check["target"]) == (True, "error", "hybrid")
        assert "The check failed" in check["reason"]

    using(edge, cloud, use, agent, Says("other", target="cloud"))


def test_an_agent_that_cannot_begin_is_begun_again(edge: Server, cloud: Server) -> None:
    class Slow(Says):
        ready = False

        async def initialize(self) -> bool:
            return self.ready

    agent = Slow(target="cloud")

    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?"))["agent_checks"]["mine"]["state"] == "error"
        agent.ready = True
        assert (await client.execute("Hello?"))["model_id"] == SMALL

    using(edge, cloud, use, agent)
    assert agent.ended == 1


def test_an_agent_of_the_same_name_takes_over_and_both_are_ended(edge: Server, cloud: Server) -> None:
    first, second = Says(target="cloud"), Says(target="local")

    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?"))["model_id"] == SMALL
        client.hook_agent(second)
        assert (await client.execute("Hello?"))["model_id"] == EDGE
        assert client.agents == {"mine": second}

    using(edge, cloud, use, first)
    assert (first.ended, second.ended, len(first.asked)) == (1, 1, 1)


def test_shutdown_is_no_end(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        await client.shutdown()
        await client.execute("Hello?")
        await client.shutdown()
        await client.shutdown()
        assert (await client.execute("Hello?"))["response"] == "phi says Paris."

    using(edge, cloud, use)


def test_two_clients_and_many_requests_at_once(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        async with hooked(edge, cloud, Says(target="local")) as other:
            asked = [
                (client if n % 2 else other).execute(f"Question {n}?", model_id=SMALL if n % 2 else None)
                for n in range(20)
            ]
            answers = await asyncio.gather(*asked)
        assert [answer["model_id"] for answer in answers] == [EDGE, SMALL] * 10
        assert len({answer["request_id"] for answer in answers}) == 20

    using(edge, cloud, use)


def test_one_client_over_two_event_loops(edge: Server, cloud: Server) -> None:
    client = OblixClient()

    async def ask() -> str:
        await client.hook_model(ModelType.OLLAMA, "phi", endpoint=edge.url)
        return str((await client.execute("Hello?"))["response"])

    assert asyncio.run(ask()) == asyncio.run(ask()) == "phi says Paris."
    asyncio.run(client.shutdown())


def test_a_model_may_be_hooked_while_others_answer(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        cloud.hangs = True
        waiting = asyncio.create_task(client.execute("Hello?", model_id=LARGE))
        await asyncio.to_thread(cloud.was_asked.wait, 30)
        assert await client.hook_model(ModelType.OLLAMA, "llama2", endpoint=edge.url)
        assert (await client.execute("Hello?", model_id="ollama:llama2"))["response"] == "llama2 says Paris."
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    using(edge, cloud, use)


def test_a_cloud_that_does_not_stream_answers_too(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        cloud.streams = False
        answer = await client.execute("Hello?", model_id=SMALL)
        assert answer["response"] == "gpt-3.5-turbo says Paris."
        assert (answer["metrics"]["input_tokens"], answer["metrics"]["output_tokens"]) == (7, 3)

    using(edge, cloud, use)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_keys_are_sent_and_never_told(
    status: int, edge: Server, cloud: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?", model_id=SMALL))["model_id"] == SMALL
        cloud.status, cloud.echoes_key = status, True
        with pytest.raises(NoAnswer) as caught:
            await client.execute("Hello?", model_id=SMALL)
        assert KEY not in f"{caught.value} {caught.value!r} {client!r} {client.models}"

    using(edge, cloud, use)
    assert set(cloud.keys) == {f"Bearer {KEY}"}
    assert KEY not in caplog.text
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_a_key_of_the_environment_opens_too(
    edge: Server, cloud: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")

    async def use() -> None:
        client = OblixClient()
        await client.hook_model("openai", "gpt-4", endpoint=cloud.url)
        assert client.models == (LARGE,)
        await client.execute("Hello?")
        await client.shutdown()

    asyncio.run(use())
    assert cloud.keys == ["Bearer sk-of-the-environment"]


def test_what_is_wrong_is_one_sentence(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        with pytest.raises(SettingsError, match=r"'gpt-5', which is not hooked; hooked are ollama:phi,"):
            await client.execute("Hello?", model_id="gpt-5")
        with pytest.raises(RequestError, match="no text"):
            await client.execute("")
        with pytest.raises(SettingsError, match="call hook_model first"):
            await OblixClient().execute("Hello?")

        class Nameless(Says):
            def __init__(self) -> None:
                pass

        for no_agent in (Nameless(), object()):
            with pytest.raises(EdgewiseError, match=r"hook_agent: .*super\(\).__init__\(name\)"):
                client.hook_agent(no_agent)  # type: ignore[arg-type]

    using(edge, cloud, use)


def test_local_stays_whatever_the_agents_say(edge: Server, cloud: Server) -> None:
    async def use(client: OblixClient) -> None:
        assert (await client.execute("Hello?", local=True))["model_id"] == EDGE
        edge.status = 500
        with pytest.raises(NoAnswer, match="declared local"):
            await client.execute("Hello?", local=True)

    using(edge, cloud, use, Says(target="cloud"))
    assert cloud.asked == []


def test_a_decision_names_what_was_hooked(edge: Server, cloud: Server, tmp_path: Path) -> None:
    async def use(client: OblixClient) -> None:
        answer = await client.execute("Hello?")
        json.dumps(answer)  # programs keep it
        decision = LogReader(tmp_path / "edgewise.sqlite").decision(answer["request_id"])
        assert decision is not None

    using(edge, cloud, use, ResourceMonitor(), ConnectivityAgent())
