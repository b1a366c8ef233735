"""What today cost, by candidate and by how sure that is."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import decision, outcome

TOML = """[budget]
usd_per_day = 2.0
[[candidates]]
id = "gpt"
location = "cloud"
script = {}
"""


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewise.toml").write_text(TOML)
    file = tmp_path / "edgewise.sqlite"
    now = time.time()
    for cost, state, at in (
        (0.5, "billed", now),
        (0.25, "estimated", now),
        (None, "unpriced", now),
        (9.0, "billed", now - 3 * 86_400),
    ):
        one = decision()
        ended = replace(outcome(one), at=at, candidate="gpt", cost_usd=cost, cost_state=state)
        fill(file, replace(one, at=at), ended)
    return file


def test_spending_keeps_states_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgewise(monkeypatch, "log", "spending") == 0
    said = capsys.readouterr().out
    assert "$0.750000 of $2 spent today." in said
    for word in ("billed", "estimated", "unpriced", "unknown"):
        assert word in said


def test_spending_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert edgewise(monkeypatch, "log", "spending", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["spent_usd"], said["usd_per_day"]) == (0.75, 2.0)
    assert {call["cost_state"]: call["calls"] for call in said["calls"]} == {
        "billed": 1,
        "estimated": 1,
        "unpriced": 1,
    }
