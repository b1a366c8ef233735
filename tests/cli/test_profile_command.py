"""`edgewise profile` in a process of its own, against endpoints that count."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.cli.running import edgewise
from tests.servers import Mock

from edgewise.cli.profile import command
from edgewise.domain.errors import SettingsError, StoreError

NAMES = ("one", "two", "three")
PRICE = "price = { input = 1.0, output = 2.0 }"
CANDIDATE = '[[candidates]]\nid = "{0}"\nlocation = "cloud"\nurl = "{1}"\nmodel = "{0}-1"\n{2}\n'


def begun(tmp_path: Path, mock: Mock, count: int, price: str = PRICE) -> None:
    """A configuration with three candidates that are the mock, and `count` prompts."""
    candidates = "".join(CANDIDATE.format(name, mock.url, price) for name in NAMES)
    (tmp_path / "edgewise.toml").write_text(candidates)
    lines = (json.dumps({"prompt": f"Question number {n}?", "group": "some"}) for n in range(count))
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines))


def started(tmp_path: Path, *options: str) -> subprocess.Popen[bytes]:
    words = ("profile", "prompts.jsonl", "-o", "out", "--no-plots", *options)
    return subprocess.Popen(
        [sys.executable, "-m", "edgewise.cli", *words],
        cwd=tmp_path,
        env={**os.environ, "EDGEWISE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def paid(mock: Mock) -> Counter[tuple[str, str]]:
    """How often each endpoint's model got each prompt, warm-ups left out."""
    bodies = [call.json for call in mock.calls]
    asked = ((body["model"], body["messages"][-1]["content"]) for body in bodies)
    return Counter(each for each in asked if each[1].startswith("Question"))


def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "out" / "outcomes.jsonl").read_text().splitlines()]


def until(mock: Mock, count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(paid(mock).values()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_killed_in_the_middle_no_prompt_is_paid_twice(tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 24)
    mock.pause_s = 0.002
    process = started(tmp_path)
    until(mock, 20)
    process.kill()
    process.communicate()
    process = started(tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    counted = paid(mock)
    assert max(counted.values()) == 1
    found = rows(tmp_path)
    assert Counter((row["candidate"], row["prompt"]) for row in found).most_common(1)[0][1] == 1
    assert len(found) == 72
    lost = [row for row in found if row["status"] == "cancelled"]
    assert len(counted) >= 72 - len(lost)  # some were written down and not sent yet
    assert 1 <= len(lost) <= 4  # those that were under way: one endpoint, four calls
    assert all(row["status"] == "ok" for row in found if row not in lost)
    assert "not asked again" in said.decode()


def test_ctrl_c_lets_calls_end_and_the_same_command_goes_on(tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 24)
    mock.pause_s = 0.002
    process = started(tmp_path)
    until(mock, 20)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Waiting for the calls under way" in said.decode()
    assert "the same command goes on" in said.decode()
    assert "Traceback" not in said.decode()
    between = rows(tmp_path)
    assert len(between) < 72
    assert {row["status"] for row in between} == {"ok"}
    assert len(between) == len(paid(mock))
    done = edgewise("profile", "prompts.jsonl", "-o", "out", "--no-plots", cwd=tmp_path)
    assert done.returncode == 0
    assert f"{len(between)} of 72 calls were made before" in done.stderr.decode()
    assert max(paid(mock).values()) == 1
    assert len(rows(tmp_path)) == 72


@pytest.mark.slow
def test_ctrl_c_twice_cuts_them_off(tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 12)
    mock.pause_s = 30.0
    process = started(tmp_path, "--warm-up", "0")
    until(mock, 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said.decode()
    assert "Traceback" not in said.decode()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    return tmp_path


def test_a_dry_run_asks_nobody_and_an_unpriced_budget_is_refused(
    here: Path, mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(here, mock, 10, price="")
    command([Path("prompts.jsonl")], output=Path("out"), dry_run=True, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert [(each["candidate"], each["calls"], each["cost_usd"]) for each in found] == [
        (name, 10, None) for name in NAMES
    ]
    with pytest.raises(SettingsError, match="has no price"):
        command([Path("prompts.jsonl")], output=Path("out"), budget_usd=1.0)
    assert not (here / "out").exists()
    assert mock.calls == []


def test_what_was_measured_is_told_and_drawn(
    here: Path, mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(here, mock, 3)
    command([Path("prompts.jsonl")], output=Path("out"), candidates="one,two", temperature=0.7)
    assert {row["candidate"] for row in rows(here)} == {"one", "two"}
    assert mock.calls[-1].json["temperature"] == 0.7
    assert "profile.html" in capsys.readouterr().err
    assert (here / "out" / "latency.png").stat().st_size > 1000
    command([Path("show"), Path("out")], as_json=True)
    assert [each["ok"] for each in json.loads(capsys.readouterr().out)] == [3, 3]


def test_mistakes_are_sentences(here: Path, mock: Mock, capsys: pytest.CaptureFixture[str]) -> None:
    begun(here, mock, 2)
    for words, sentence in (
        ([Path("prompts.jsonl")], "Give a prompts file and a folder"),
        ([Path("show")], "Give the folder of a profile"),
    ):
        with pytest.raises(typer.Exit):
            command(words)
        assert sentence in capsys.readouterr().err
    with pytest.raises(StoreError, match="There is no profile in nowhere"):
        command([Path("show"), Path("nowhere")])
    with pytest.raises(SettingsError, match="There is no chat candidate 'four'; there are one, two, three"):
        command([Path("prompts.jsonl")], output=Path("out"), candidates="four", dry_run=True)
    command([Path("prompts.jsonl")], output=Path("out"), dry_run=True)
    assert "6 calls" in capsys.readouterr().out
    assert mock.calls == []
