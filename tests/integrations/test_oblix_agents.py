"""What the two monitors make of the signals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import SettingsError
from edgewise.domain.signals import Signal, State
from edgewise.integrations.oblix.agents import BaseAgent, ConnectivityAgent, ResourceMonitor

NEAR = Candidate("openai:near", "cloud", "cloud", endpoint="http://127.0.0.1:9/v1")
FAR = Candidate("openai:far", "cloud", "cloud", endpoint="https://far.example/v1")
Found = tuple[str, float | None, State]
EDGE = Candidate("ollama:phi", "edge", "device", endpoint="http://127.0.0.1:11434")


def signals(*found: Found) -> dict[str, Signal]:
    return {name: Signal(name, value, "", 0.0, "test", state) for name, value, state in found}


def ask(agent: BaseAgent, *found: Found, **more: Any) -> dict[str, Any]:
    return asyncio.run(agent.check(signals=signals(*found), **more))


@pytest.mark.parametrize(
    ("found", "state", "target"),
    [
        (
            [("cpu", 0.79, "normal"), ("memory", 0.84, "normal"), ("gpu", 0.84, "normal")],
            "available",
            "hybrid",
        ),
        ([("cpu", 0.80, "constrained")], "constrained", "cloud"),
        ([("cpu", 1.0, "constrained")], "constrained", "cloud"),
        ([("memory", 0.85, "normal")], "constrained", "cloud"),
        ([("gpu", 0.85, "normal")], "constrained", "cloud"),
        ([("gpu", 0.95, "normal")], "critical", "cloud"),
        ([("cpu", None, "unknown")], "available", "hybrid"),
        ([], "available", "hybrid"),
    ],
)
def test_resources_by_the_published_defaults(found: list[Found], state: str, target: str) -> None:
    said = ask(ResourceMonitor(), *found)
    assert (said["proceed"], said["state"], said["target"]) == (True, state, target)
    assert said["metrics"]["cpu_percent"] in (None, 79.0, 80.0, 100.0)


def test_own_thresholds_count() -> None:
    idle: Found = ("cpu", 0.0, "normal")
    assert ask(ResourceMonitor(custom_thresholds={"cpu_threshold": 0}), idle)["state"] == "constrained"
    assert ask(ResourceMonitor(custom_thresholds={"critical_cpu": 0}), idle)["state"] == "critical"
    assert (
        ask(ResourceMonitor(custom_thresholds={"critical_memory": 90}), ("memory", 0.9, "normal"))["state"]
        == "critical"
    )
    assert (
        ask(ResourceMonitor(custom_thresholds={"load_threshold": 0}), ("load", 0.0, "normal"))["state"]
        == "constrained"
    )
    busy: Found = ("cpu", 0.85, "constrained")
    assert ask(ResourceMonitor(custom_thresholds={"cpu_threshold": 90.0}), busy)["state"] == "available"


def test_a_state_does_not_flicker() -> None:
    monitor = ResourceMonitor()
    values = (0.81, 0.79, 0.81, 0.75, 0.71, 0.81)
    states = [ask(monitor, ("cpu", value, "normal"))["state"] for value in values]
    assert states == ["constrained"] * 4 + ["available", "constrained"]


@pytest.mark.parametrize(
    ("given", "wrong"), [({"cpu": 3}, "custom_thresholds has 'cpu'"), ({"cpu_threshold": "9"}, "a number")]
)
def test_a_threshold_that_there_is_not_is_one_sentence(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong):
        ResourceMonitor(custom_thresholds=given)


UP: Found = ("online:openai:far", 1.0, "normal")
DOWN: Found = ("online:openai:far", 0.0, "critical")
NEAR_UP: Found = ("online:openai:near", 1.0, "normal")
UNPLUGGED: Found = ("link", 0.0, "critical")


@pytest.mark.parametrize(
    ("found", "clouds", "state", "target"),
    [
        ([UP, ("rtt_s:openai:far", 0.199, "normal")], [FAR], "optimal", "cloud"),
        ([UP, ("rtt_s:openai:far", 0.2, "normal")], [FAR], "degraded", "hybrid"),
        ([UP, ("failures:openai:far", 0.1, "constrained")], [FAR], "degraded", "hybrid"),
        ([UP, ("bandwidth_mbps", 4.9, "normal")], [FAR], "degraded", "hybrid"),
        ([DOWN], [FAR], "disconnected", "local"),
        ([DOWN, NEAR_UP], [FAR, NEAR], "optimal", "cloud"),
        ([UP, UNPLUGGED], [FAR], "disconnected", "local"),
        ([NEAR_UP, UNPLUGGED], [NEAR], "optimal", "cloud"),
        ([UNPLUGGED], [], "disconnected", "local"),
        ([], [FAR], "optimal", "cloud"),
        ([("online:openai:far", None, "unknown")], [FAR], "optimal", "cloud"),
    ],
)
def test_the_way_to_the_clouds(found: list[Found], clouds: list[Candidate], state: str, target: str) -> None:
    said = ask(ConnectivityAgent(), *found, candidates=(EDGE, *clouds))
    assert (said["proceed"], said["state"], said["target"]) == (True, state, target)
    assert set(said["metrics"]) == {"latency", "packet_loss", "bandwidth"}


def test_own_limits_count() -> None:
    found: list[Found] = [UP, ("rtt_s:openai:far", 0.0001, "normal")]
    assert ask(ConnectivityAgent(latency_threshold=0), *found, candidates=(FAR,))["state"] == "degraded"
    slow: list[Found] = [UP, ("rtt_s:openai:far", 0.3, "constrained")]
    assert ask(ConnectivityAgent(latency_threshold=400.0), *slow, candidates=(FAR,))["state"] == "optimal"
    lost: list[Found] = [UP, ("failures:openai:far", 0.06, "constrained")]
    assert ask(ConnectivityAgent(packet_loss_threshold=5.0), *lost, candidates=(FAR,))["state"] == "degraded"


def test_who_just_did_not_answer_counts_as_gone() -> None:
    agent = ConnectivityAgent()
    assert ask(agent, UP, candidates=(EDGE, FAR, NEAR), unreachable={FAR.id})["state"] == "optimal"
    assert ask(agent, UP, candidates=(EDGE, FAR), unreachable={FAR.id})["state"] == "disconnected"


def test_names_and_limits_are_the_published_ones() -> None:
    agent = ConnectivityAgent()
    assert (agent.name, ResourceMonitor().name) == ("connectivity_monitor", "resource_monitor")
    assert (agent.latency_threshold, agent.packet_loss_threshold) == (200.0, 10.0)
    assert (agent.bandwidth_threshold, agent.check_interval) == (5.0, 30)
    assert ResourceMonitor().thresholds == {
        "cpu_threshold": 80.0,
        "memory_threshold": 85.0,
        "gpu_threshold": 85.0,
        "critical_gpu": 95.0,
    }
