from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME, decision


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "edgewise.sqlite", DECISION, OUTCOME, FEEDBACK)
    return tmp_path


@pytest.mark.parametrize("which", ["last", DECISION.id, DECISION.id[:9]])
def test_a_decision_is_told(
    which: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgewise(monkeypatch, "explain", which) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Decision {DECISION.id}, ")
    assert "because the prompt is simple enough for the edge" in told


def test_json_has_the_shape_of_the_api(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgewise(monkeypatch, "explain", "last", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["id"] == DECISION.id
    assert told["odds"] == DECISION.odds
    assert told["attempts"][0]["http_status"] == 200
    assert told["outcome"]["status"] == "ok"
    assert "attempts" not in told["outcome"]
    assert told["feedback"][0]["quality"] == 0.8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "There is no decision 'nothing' in "),
        (["\x1b[2J"], r"There is no decision '\x1b[2J' in "),
        (["req_"], "More than one decision's id begins with 'req_'"),
        (["last", "--path", "none.sqlite"], "There is no outcome log at none.sqlite yet"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    home: Path,
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(home / "edgewise.sqlite", decision())
    assert edgewise(monkeypatch, "explain", *words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"edgewise: {message}")
    assert said.err.count("\n") == 1


def test_an_empty_log_has_nothing_to_tell(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(home / "empty.sqlite")
    assert edgewise(monkeypatch, "explain", "last", "--path", "empty.sqlite") == 2
    assert "holds no decision yet" in capsys.readouterr().err


def test_the_configuration_names_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = decision()
    fill(home / "other.sqlite", other)
    (home / "my.toml").write_text('[store]\npath = "other.sqlite"\n')
    assert edgewise(monkeypatch, "explain", "last", "--config", "my.toml") == 0
    assert other.id in capsys.readouterr().out
