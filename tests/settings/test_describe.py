from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.settings.trees import good_tree

from edgewise.domain.candidates import Price
from edgewise.settings import CandidateSettings, NetworkSettings, ScriptSettings, describe
from edgewise.settings.load import from_tree


def candidate(location: Any = "edge", **more: Any) -> CandidateSettings:
    place = {} if more.keys() & {"embedded", "script"} else {"url": "http://127.0.0.1:11434/v1"}
    return CandidateSettings("x", location, **{**place, **more})


@pytest.mark.parametrize(
    ("url", "trust"),
    [
        ("http://127.0.0.1:1/v1", "device"),
        ("http://127.9.9.9/v1", "device"),
        ("http://localhost:1/v1", "device"),
        ("http://LOCALHOST./v1", "device"),
        ("http://[::1]:1/v1", "device"),
        ("http://192.168.1.2/v1", "site"),
        ("http://nas/v1", "site"),
        ("http://0.0.0.0:1/v1", "site"),
        ("http://127.0.0.1.evil.example/v1", "site"),
        ("http://localhost.evil.example/v1", "site"),
        ("http://127.0.0.1%2eevil.example/v1", "site"),
        ("http://127.1/v1", "site"),
        ("http://[::ffff:8.8.8.8]/v1", "site"),
    ],
)
def test_the_trust_of_an_edge_follows_from_its_host(url: str, trust: str) -> None:
    assert describe(candidate(url=url)).trust == trust
    assert describe(candidate("cloud", url=url)).trust == "cloud"
    assert describe(candidate(url=url, trust="cloud")).trust == "cloud"


def test_what_runs_inside_edgewise_is_on_the_device() -> None:
    assert describe(candidate(embedded="smollm2-135m")).trust == "device"
    assert describe(candidate(script=ScriptSettings())).trust == "device"
    assert describe(candidate("cloud", embedded="smollm2-135m")).trust == "cloud"


def test_an_edge_is_free_and_a_cloud_without_a_price_is_unpriced() -> None:
    assert describe(candidate()).price == Price(0.0, 0.0)
    assert describe(candidate("cloud")).price is None
    assert describe(candidate(price=Price(1.0, 2.0))).price == Price(1.0, 2.0)
    assert describe(candidate("cloud", price=Price(0.0, 0.0))).price == Price(0.0, 0.0)


def test_the_model_is_what_the_endpoint_calls_it() -> None:
    assert describe(candidate()).model == "x"
    assert describe(candidate(model="y")).model == "y"
    assert describe(candidate(embedded="smollm2-135m")).model == "smollm2-135m"


def test_what_is_made_up_is_called_simulated() -> None:
    assert describe(candidate(script=ScriptSettings())).simulated
    assert describe(candidate(network=NetworkSettings())).simulated
    assert not describe(candidate()).simulated


def test_capabilities() -> None:
    assert describe(candidate(embedded="smollm2-135m")).capabilities.context_tokens == 8192
    assert describe(candidate(embedded="smollm2-135m", context_tokens=99)).capabilities.context_tokens == 99
    assert describe(candidate()).capabilities.context_tokens is None
    assert describe(candidate("cloud")).capabilities.vision
    assert not describe(candidate("cloud", vision=False)).capabilities.vision
    assert not describe(candidate("cloud", embedded="smollm2-135m")).capabilities.vision
    assert not describe(candidate()).capabilities.vision
    assert describe(candidate(vision=True)).capabilities.vision
    assert not describe(candidate(tools=False)).capabilities.tools


def test_the_endpoint_ends_without_a_slash() -> None:
    assert describe(candidate(url="http://127.0.0.1:1/v1/")).endpoint == "http://127.0.0.1:1/v1"
    assert describe(candidate(embedded="smollm2-135m")).endpoint == ""


@given(good_tree())
def test_every_good_candidate_can_be_described(tree: dict[str, Any]) -> None:
    for given_settings in from_tree(tree, source="x").candidates:
        found = describe(given_settings)
        assert (found.id, found.location) == (given_settings.id, given_settings.location)
        assert found.price is not None or found.location == "cloud"
        assert found.trust == (given_settings.trust or found.trust)
        assert found.trust != "device" or given_settings.trust == "device" or found.location == "edge"
