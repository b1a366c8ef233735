from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.stored import edgewise, fill
from tests.monitors.drift.drifting import day, store
from tests.outcomes.sample import decision, outcome

from edgewise.monitors.production.alerts import Alert
from edgewise.monitors.production.kept import write_alerts


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "edgewise.sqlite"


def serve(log: Path, count: int, **changes: Any) -> None:
    at = time.time() - 30.0
    made = [decision(at=at) for _ in range(count)]
    fill(log, *made, *(outcome(one, **{"at": at, "latency_s": 0.1, **changes}) for one in made))


@pytest.mark.parametrize(
    ("wrong", "status", "code"), [(0, "excellent", 0), (14, "good", 0), (30, "fair", 3), (60, "poor", 4)]
)
def test_the_exit_code_says_the_status(
    wrong: int, status: str, code: int, log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    serve(log, 80)
    slow = {"latency_s": 9.0} if status == "poor" else {}
    serve(log, wrong, status="error")
    serve(log, 30, **slow)
    assert edgewise(monkeypatch, "health", "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == status
    lost = sum(part["lost"] for part in told["parts"])
    assert told["score"] == pytest.approx(100.0 - lost)
    assert [figures["window"] for figures in told["figures"]] == ["5m", "1h", "24h", "7d"]
    assert told["figures"][0]["requests"] == 110 + wrong


def test_people_read_the_same(log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    serve(log, 80)
    serve(log, 60, status="error")
    edgewise(monkeypatch, "health")
    said = capsys.readouterr().out
    assert "ALERT errors since" in said
    assert "execution.retries: raise it from 1" in said
    assert "wanted at most 5.0%" in said
    assert "too little data" in said


def test_drift_and_calibration_are_told(log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    store(log, *day(150, at=time.time() - 5.0, seed=1, quality=0.4, slow=3.0))
    edgewise(monkeypatch, "health", "--json")
    drift = json.loads(capsys.readouterr().out)["drift"]
    assert [shift["since"] is None for shift in drift["shifts"]] == [False, False]
    assert drift["labels"] == {"phi": 150}
    edgewise(monkeypatch, "health")
    said = capsys.readouterr().out
    assert re.search(r"phi: latency is (2\.9|3\.)\d+ times the forecast since", said)
    assert "ALERT drift-quality since" in said
    assert "Prompts: not compared (no bundle says" in said
    assert "calibration error of quality 0." in said


def test_without_traffic_nothing_is_claimed(log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    fill(log, decision())
    assert edgewise(monkeypatch, "health") == 6
    assert "UNKNOWN  too little is known for a score" in capsys.readouterr().out


def test_without_a_log_it_is_a_sentence(log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert edgewise(monkeypatch, "health") == 2
    assert "There is no outcome log at" in capsys.readouterr().err


def test_a_standing_alert_is_acknowledged_by_name(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    now = time.time()
    write_alerts(log.parent, [Alert("errors", "error_rate", "5m", 0.05, 0.4, 100, now - 60.0, now)])
    assert edgewise(monkeypatch, "health", "--acknowledge", "erors") == 2
    assert "No alert 'erors' stands in the gateway; those that do: errors." in capsys.readouterr().err
    assert edgewise(monkeypatch, "health", "--acknowledge", "errors") == 0
    serve(log, 40, status="error")
    capsys.readouterr()
    edgewise(monkeypatch, "health")
    assert "ALERT errors (acknowledged) since" in capsys.readouterr().out
