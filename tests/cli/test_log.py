from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import DECISION, FEEDBACK, OUTCOME, decision, outcome

from edgewise.outcomes.plain import KEPT
from edgewise.outcomes.schema import connect
from edgewise.outcomes.writer import write

ROOT = Path(__file__).parent.parent.parent
HOSTILE = "\x1b[2Jgone\x9b31m \u202eevil\u2066\x7f\nFORGED"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def log(home: Path) -> Path:
    return home / "edgewise.sqlite"


def test_tail_lists_the_latest_oldest_first(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [decision() for _ in range(5)]
    fill(log, *asked, *(outcome(one) for one in asked[:4]))
    assert edgewise(monkeypatch, "log", "tail", "-n", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [one.id in line for one, line in zip(asked[2:], lines, strict=True)] == [True] * 3
    assert "1420 ms" in lines[0]
    assert "no outcome yet" in lines[2]


def test_tail_follows(log: Path) -> None:
    fill(log, DECISION, OUTCOME)
    called = [sys.executable, "-m", "edgewise.cli", "log", "tail", "-n", "1", "--follow"]
    with subprocess.Popen(called, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as tail:
        assert tail.stdout is not None
        try:
            assert DECISION.id in tail.stdout.readline()
            answered, routed = decision(), decision()
            connection = connect(log)
            write(connection, [(None, (answered, outcome(answered), routed))])  # all at once
            connection.close()
            first = tail.stdout.readline()
            assert answered.id in first
            assert "1420 ms" in first
            second = tail.stdout.readline()
            assert routed.id in second
            assert "no outcome yet" in second
            fill(log, outcome(routed, status="error", error="Too late."))
            assert "ERROR: Too late." in tail.stdout.readline()
        finally:
            tail.send_signal(signal.SIGINT)
        assert tail.stdout.read() == ""
    assert tail.returncode == 130


@pytest.mark.parametrize(
    "words", [("tail",), ("show", "last"), ("show", "last", "--json"), ("tail", "-n", "1")]
)
def test_no_stored_text_reaches_the_terminal_alive(
    words: tuple[str, ...], log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = decision(prompt=HOSTILE, chosen=HOSTILE, session=HOSTILE)
    ended = outcome(asked, status="error", error=HOSTILE, response=HOSTILE)
    fill(log, asked, ended, replace(FEEDBACK, decision_id=asked.id, comment=HOSTILE))
    assert edgewise(monkeypatch, "log", *words) == 0
    told = capsys.readouterr().out
    assert all(c.isprintable() or c in KEPT or c == "\n" for c in told)
    assert not any(line.startswith("FORGED") for line in told.splitlines())
    assert "evil" in told


def test_show_tells_every_field(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "word " * 500
    fill(log, replace(DECISION, prompt=long), OUTCOME, FEEDBACK)
    assert edgewise(monkeypatch, "log", "show", DECISION.id) == 0
    told = capsys.readouterr().out
    assert f'"prompt": "{long}"' in told
    assert '"smollm2-135m": 0.99' in told
    assert '"comment": "Right."' in told
    assert edgewise(monkeypatch, "log", "show", DECISION.id, "--json") == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == long


def test_export_to_a_file(
    log: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(log, DECISION, OUTCOME, decision())
    assert edgewise(monkeypatch, "log", "export", "-o", "table.csv") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "1 rows in table.csv\n")
    with (home / "table.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["prompt"], row["candidate"], row["propensity"]) == (DECISION.prompt, "smollm2-135m", "0.99")


def test_export_to_standard_output(log: Path) -> None:
    fill(log, DECISION, OUTCOME)
    called = [sys.executable, "-m", "edgewise.cli", "log", "export", "--format", "jsonl"]
    ran = subprocess.run(called, capture_output=True, check=True, env=dict(os.environ))
    assert json.loads(ran.stdout)["response"] == "Paris."
    assert ran.stderr == b""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "-o", "table.xlsx"], "The ending of 'table.xlsx' is none"),
        (["export", "-o", "none/table.csv"], "none/table.csv cannot be written: No such file"),
        (["tail", "--path", "none.sqlite"], "There is no outcome log at none.sqlite"),
        (["export", "-o", "table.csv", "--path", "none.sqlite"], "There is no outcome log at none.sqlite"),
        (["vacuum", "--path", "none.sqlite"], "There is no outcome log at none.sqlite"),
        (["show", "last", "--path", "text.sqlite"], "text.sqlite is no outcome log"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str],
    message: str,
    log: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(log, DECISION, OUTCOME)
    (home / "text.sqlite").write_text("This is a letter. " * 100)
    assert edgewise(monkeypatch, "log", *words) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"edgewise: {message}")
    assert said.err.count("\n") == 1
    assert not (home / "table.csv").exists()
    assert not (home / "none.sqlite").exists()


def test_vacuum_forgets_and_gives_room_back(
    log: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [decision(at=1e9 + n, prompt="x" * 50_000) for n in range(30)]
    fill(log, *old, *(outcome(one) for one in old), decision())
    before = log.stat().st_size
    (home / "edgewise.toml").write_text("[store]\nmax_age_days = 30\n")
    assert edgewise(monkeypatch, "log", "vacuum") == 0
    assert capsys.readouterr().out.startswith("30 records forgotten; 1.")
    assert log.stat().st_size < before / 10
