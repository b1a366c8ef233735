"""pydantic-ai's own agents with a router in the slot of their model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent

from edgewise.integrations.pydantic_ai import RoutedModel

EDGE: dict[str, Any] = {"id": "phi", "location": "edge", "script": {"replies": ["It is Paris."]}}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))


def test_an_agent_is_answered_and_told_by_whom() -> None:
    result = Agent(RoutedModel([EDGE])).run_sync("What is the capital of France?")
    assert result.output == "It is Paris."
    details = result.response.provider_details
    assert details is not None
    assert (details["candidate"], details["reason"]) == ("phi", "only_candidate")
    assert details["decision_id"].startswith("req_")
