"""The page about policies says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from edgewise.domain.candidates import Rule
from edgewise.domain.decisions import Reason
from edgewise.features import TextFeatures
from edgewise.policies import KINDS, Complexity, make

DOCS = Path(__file__).parents[2] / "docs"
POLICIES = (DOCS / "policies.md").read_text(encoding="utf-8")
CONSTRAINTS = (DOCS / "constraints.md").read_text(encoding="utf-8")
SETTINGS = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", POLICIES, re.DOTALL)]
SECTIONS = [s["policy"] for s in SETTINGS if "policy" in s] + [
    section for s in SETTINGS for section in s.get("policies", {}).values()
]


def test_every_option_stands_there_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", POLICIES, re.MULTILINE))
    assert {name: float(default) for name, default in rows.items()} == {
        name: getattr(Complexity(), name) for name in Complexity.__struct_fields__
    }


def test_every_kind_has_a_heading() -> None:
    assert set(KINDS) <= set(re.findall(r"^## ([\w-]+)$", POLICIES, re.MULTILINE))


def test_every_feature_stands_there() -> None:
    for name in TextFeatures().measure(""):
        assert f"`{name}`" in POLICIES


@pytest.mark.parametrize("reason", sorted(set(get_args(Reason))))
def test_every_reason_stands_there(reason: str) -> None:
    assert f"`{reason}`" in POLICIES


@pytest.mark.parametrize("rule", sorted(get_args(Rule)))
def test_every_rule_stands_there(rule: str) -> None:
    assert f"`{rule}`" in CONSTRAINTS


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_every_example_can_be_made(section: dict[str, object]) -> None:
    given = {key: section[key] for key in ("options", "candidate") if key in section}
    assert make(str(section["kind"]), **given).name  # type: ignore[arg-type]


def test_there_are_examples_of_every_kind() -> None:
    assert {section["kind"] for section in SECTIONS} >= {"complexity", "fixed"}
