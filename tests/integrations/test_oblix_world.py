"""Clouds and edges that go away while a program runs, with the signals on."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.clouds import Server, served

from edgewise.integrations.oblix import ModelType, NoAnswer, OblixClient
from edgewise.integrations.oblix.agents import ConnectivityAgent, ResourceMonitor

EDGE, CLOUD = "ollama:phi", "openai:gpt-4"
ANY = 1e6  # ms: how busy the machine that runs the tests is decides nothing


@pytest.fixture(autouse=True)
def _signals_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.delenv("EDGEWISE_SIGNALS", raising=False)


@pytest.fixture
def edge() -> Iterator[Server]:
    with served(Server(ollama=True)) as server:
        yield server


@contextmanager
def swallowing() -> Iterator[tuple[str, threading.Event]]:
    """A cloud whose link is cut in the middle: it takes one call, then nobody can connect any more."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    taken: list[socket.socket] = []
    cut = threading.Event()

    def serve() -> None:
        while not cut.is_set():
            connection = listener.accept()[0]
            connection.settimeout(30)
            if connection.recv(65_536):  # a call, and no handshake of a probe
                listener.close()
                cut.set()
            taken.append(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", cut
    finally:
        cut.set()
        for connection in taken:
            connection.close()
        listener.close()


async def hooked(edge: str, cloud: str, *agents: Any) -> OblixClient:
    client = OblixClient()
    await client.hook_model(ModelType.OLLAMA, "phi", endpoint=edge)
    await client.hook_model(ModelType.OPENAI, "gpt-4", endpoint=cloud, api_key="sk-x")
    for agent in agents:
        client.hook_agent(agent)
    return client


def link(answer: dict[str, Any]) -> tuple[str, str]:
    check = answer["agent_checks"]["connectivity_monitor"]
    return check["state"], check["target"]


def test_a_cloud_that_dies_is_seen_at_once_and_one_that_comes_back_too(edge: Server) -> None:
    async def run() -> None:
        with served(Server(ollama=False)) as cloud:
            port, client = (
                cloud.port,
                await hooked(edge.url, cloud.url, ConnectivityAgent(latency_threshold=ANY, check_interval=1)),
            )
            answer = await client.execute("Hello?")
            assert answer["model_id"] == CLOUD
            assert link(answer) == ("optimal", "cloud")
            assert answer["agent_checks"]["connectivity_monitor"]["metrics"]["latency"] > 0
        # The first call that fails tells; the answer that replaces it says so already.
        for _ in range(2):
            answer = await client.execute("Still there?")
            assert answer["model_id"] == EDGE
            assert link(answer) == ("disconnected", "local")
        with served(Server(ollama=False), port=port):
            while answer["model_id"] == EDGE:
                await asyncio.sleep(0.2)
                answer = await client.execute("And now?")
            assert link(answer) == ("optimal", "cloud")
        await client.shutdown()

    asyncio.run(asyncio.wait_for(run(), 90))


def test_a_cloud_that_dies_while_nobody_asks_is_seen_too(edge: Server) -> None:
    async def run() -> None:
        with served(Server(ollama=False)) as cloud:
            client = await hooked(
                edge.url, cloud.url, ConnectivityAgent(latency_threshold=ANY, check_interval=1)
            )
            assert (await client.execute("Hello?"))["model_id"] == CLOUD
        asked = len(cloud.asked)
        router = client._running.router if client._running else None
        assert router is not None
        for _ in range(600):
            if router.signals[f"online:{CLOUD}"].state == "critical":
                break
            await asyncio.sleep(0.05)
        assert link(await client.execute("Still there?")) == ("disconnected", "local")
        assert len(cloud.asked) == asked
        await client.shutdown()

    asyncio.run(asyncio.wait_for(run(), 90))


def test_a_call_that_hangs_on_a_cut_link_is_left_and_the_edge_answers(edge: Server) -> None:
    async def run(cloud: str, cut: threading.Event) -> None:
        client = await hooked(edge.url, cloud, ConnectivityAgent(latency_threshold=ANY))
        answer = await client.execute("Hello?")  # by its own timeout this would hang for ten minutes
        assert cut.is_set()
        assert answer["model_id"] == EDGE
        assert link(answer) == ("disconnected", "local")
        await client.shutdown()

    with swallowing() as (url, cut):
        asyncio.run(asyncio.wait_for(run(url, cut), 90))


def test_an_ollama_that_is_not_there_is_replaced_and_all_that_are_not_are_one_error(edge: Server) -> None:
    async def run() -> None:
        with served(Server(ollama=True)) as gone:
            pass
        with served(Server(ollama=False)) as cloud:
            client = await hooked(gone.url, cloud.url, ResourceMonitor())
            assert (await client.execute("Hello?"))["model_id"] == CLOUD
            with pytest.raises(NoAnswer, match=r"^No model answered: ollama:phi: [^\n]+\.$"):
                await client.execute("Hello?", model_id=EDGE)
        with pytest.raises(NoAnswer, match=EDGE) as caught:
            await client.execute("Hello?")
        assert set(caught.value.reasons) == {EDGE, CLOUD}
        await client.shutdown()

    asyncio.run(asyncio.wait_for(run(), 90))


def test_thresholds_count_on_this_machine(edge: Server) -> None:
    async def run() -> None:
        with served(Server(ollama=False)) as cloud:
            monitor = ResourceMonitor(custom_thresholds={"memory_threshold": 0})
            client = await hooked(edge.url, cloud.url, monitor, ConnectivityAgent(latency_threshold=0))
            answer = await client.execute("Hello?")
            checks = answer["agent_checks"]
            assert (checks["resource_monitor"]["state"], checks["resource_monitor"]["target"]) == (
                "constrained",
                "cloud",
            )
            assert 0 < checks["resource_monitor"]["metrics"]["memory_percent"] <= 100
            assert link(answer) == ("degraded", "hybrid")
            assert answer["model_id"] == CLOUD
            await client.shutdown()

    asyncio.run(asyncio.wait_for(run(), 90))


def test_an_ollama_without_the_calls_that_it_need_not_have(edge: Server) -> None:
    async def run() -> None:
        client = OblixClient()
        await client.hook_model(ModelType.OLLAMA, "phi", endpoint=edge.url)
        assert (await client.execute("Hello?"))["response"] == "phi says Paris."
        await client.shutdown()

    asyncio.run(asyncio.wait_for(run(), 90))
    assert set(edge.strange) <= {"/api/ps"}
