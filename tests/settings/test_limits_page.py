"""The pages about limits and execution leave no setting out, and give the defaults that the settings have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.settings import ExecutionSettings, LimitsSettings, ServerKey, ServerSettings

DOCS = Path(__file__).parents[2] / "docs"
LIMITS = (DOCS / "limits.md").read_text(encoding="utf-8")
ELSEWHERE = {"host", "port", "dashboard", "keys", "name", "hash"}  # no limits


@pytest.mark.parametrize("section", [ServerSettings, ServerKey, LimitsSettings])
def test_every_setting_is_told(section: Any) -> None:
    for field in msgspec.structs.fields(section):
        assert field.name in ELSEWHERE or f"`{field.name}`" in LIMITS, field.name


def test_every_setting_of_execution_is_told() -> None:
    said = (DOCS / "execution.md").read_text(encoding="utf-8")
    for field in msgspec.structs.fields(ExecutionSettings):
        assert re.search(rf"`(\[execution\] )?{field.name}\b", said), field.name


def test_the_deadlines_are_the_defaults() -> None:
    row = next(line for line in LIMITS.splitlines() if line.startswith("| connection, first words"))
    _, _, times, settings, _ = row.split("|")
    names = re.findall(r"`(\w+)`", settings)
    defaults = [getattr(ExecutionSettings(), name) for name in names]
    assert [float(said) for said in re.findall(r"([\d.]+) s", times)] == defaults
