"""`edgewise models`, run on the models that `make install` pulled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgewise import assets
from edgewise.cli.models import _Meter, app
from edgewise.domain.errors import AssetError

run = CliRunner()


def test_list_says_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = json.loads(run.invoke(app, ["list", "--json"]).stdout)
    assert [m["name"] for m in listed] == ["smollm2-135m", "minilm", "minilm-fp32"]
    assert [m["ready"] for m in listed[:2]] == [True, True]
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    assert not any(m["ready"] for m in json.loads(run.invoke(app, ["list", "--json"]).stdout))
    assert "not here" in run.invoke(app, ["list"]).stdout


def test_path_prints_a_path_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run.invoke(app, ["path", "minilm", "tokenizer.json"]).stdout
    assert printed == f"{assets.path_of('minilm', 'tokenizer.json')}\n"
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    result = run.invoke(app, ["path", "minilm"])
    assert isinstance(result.exception, AssetError)  # main() makes a sentence and exit code 2 of it
    assert "run: edgewise models pull minilm" in str(result.exception)


def test_pull_tells_its_progress_on_standard_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = assets.path_of("minilm").parent
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    result = run.invoke(app, ["pull", "minilm", "--from", str(brought)])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"minilm was fetched into {tmp_path}/models/minilm\n"
    again = run.invoke(app, ["pull", "minilm"])
    assert again.stderr == f"minilm is ready in {tmp_path}/models/minilm\n"


def test_verify_exits_with_1_where_something_is_wrong(tmp_path: Path, monkeypatch) -> None:
    brought = assets.path_of("minilm").parent
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    assert "No model is here" in run.invoke(app, ["verify"]).stderr
    run.invoke(app, ["pull", "minilm", "--from", str(brought)])
    fine = run.invoke(app, ["verify"])
    assert (fine.exit_code, fine.stdout) == (0, "minilm: every file is right\n")
    (tmp_path / "models" / "minilm" / "tokenizer.json").write_text("{}")
    wrong = run.invoke(app, ["verify"])
    assert wrong.exit_code == 1
    assert "tokenizer.json is torn" in wrong.stdout


def test_a_terminal_sees_one_line_fill_up(capsys: pytest.CaptureFixture[str]) -> None:
    meter = _Meter("tiny", live=True)
    meter("tiny==1.0", 500_000, 2_000_000)
    meter("tiny==1.0", 2_000_000, 2_000_000)
    meter.end()
    assert capsys.readouterr().err == "\rtiny: tiny==1.0   25 % of 2 MB\rtiny: tiny==1.0  100 % of 2 MB\n"
