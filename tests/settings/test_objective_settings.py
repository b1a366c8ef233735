"""`[objective]` and a key's own: what is taken, what is refused and how that is said."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings import hash_key
from edgewise.settings.load import from_tree
from edgewise.settings.objective import configured_objective

CLOUD = {"id": "far", "location": "cloud", "url": "https://example.com/v1"}
KEY = {"name": "a", "hash": hash_key("a")}


def read(tree: dict[str, Any]) -> str | None:
    return configured_objective(from_tree(tree, source="f").objective)


@pytest.mark.parametrize(
    ("section", "spelling"),
    [
        ({}, None),
        ({"cloud_share": 0.2}, None),
        ({"name": "qos"}, "qos"),
        ({"name": "quality-at-cost"}, "quality-at-cost"),
        ({"name": "quality-at-cost", "weight": 0.25}, "quality-at-cost:0.25"),
        ({"name": "fastest-at-quality", "floor": 1, "usd_per_1k": 2}, "fastest-at-quality:1.0"),
    ],
)
def test_it_is_spelled_as_requests_would(section: dict[str, Any], spelling: str | None) -> None:
    assert read({"objective": section}) == spelling


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"name": "qoss"}, 'objective.name is "qoss"; expected one of qos, reward, '),
        ({"name": "fastest-at-qualty"}, r"\(did you mean fastest-at-quality\?\)"),
        ({"weight": 0.1}, 'objective.weight has no effect; .* beside objective.name = "quality-at-cost"'),
        ({"name": "qos", "floor": 0.1}, 'floor has no effect; .* "cheapest-at-quality", "fastest-at-qual'),
        ({"name": "quality-at-cost", "weight": -1}, "objective.weight is -1.0; expected a number of 0 or"),
        ({"name": "fastest-at-quality", "floor": 80}, "floor is 80.0; expected a number from 0 to 1"),
        ({"cloud_share": 20}, "objective.cloud_share is 20.0; expected a number from 0 to 1"),
        ({"usd_per_1k": -1}, "objective.usd_per_1k is -1.0; expected a number of 0 or more"),
        ({"usd_per_1k": 1, "cloud_share": 0.2}, "expected one of them, not both"),
    ],
)
def test_what_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read({"objective": section})


def test_a_budget_needs_prices() -> None:
    with pytest.raises(SettingsError, match=r"candidates\[0\].price is missing; objective.usd_per_1k"):
        read({"objective": {"usd_per_1k": 1}, "candidates": [CLOUD]})
    priced = {**CLOUD, "price": {"input": 1, "output": 2}}
    assert read({"objective": {"usd_per_1k": 1}, "candidates": [priced]}) is None


def test_a_key_has_an_objective_or_none() -> None:
    keys = [{**KEY, "objective": "cheapest-at-quality:0.7"}, {**KEY, "name": "b"}]
    found = from_tree({"server": {"keys": keys}}, source="f").server.keys
    assert [key.objective for key in found] == ["cheapest-at-quality:0.7", None]


@pytest.mark.parametrize("wrong", ["speed", "qos:1", "cheapest-at-quality:80", "quality-at-cost:much", ""])
def test_a_keys_wrong_objective_is_one_sentence(wrong: str) -> None:
    with pytest.raises(
        SettingsError, match=r"f: server.keys\[0\].objective is .*expected one of qos"
    ) as caught:
        from_tree({"server": {"keys": [{**KEY, "objective": wrong}]}}, source="f")
    assert "\n" not in str(caught.value)


def test_a_key_that_slipped_into_an_objective_is_not_repeated() -> None:
    secret = "sk-abcdefgh12345678"
    with pytest.raises(SettingsError) as caught:
        from_tree({"server": {"keys": [{**KEY, "objective": secret}]}}, source="f")
    assert secret not in str(caught.value)
