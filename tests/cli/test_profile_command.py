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
from tests.cli.running import complaint, edgewise
from tests.servers import Mock

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
    for count in (15, 40):  # killed twice, the second time while it goes on
        process = started(tmp_path)
        until(mock, count)
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
    assert 1 <= len(lost) <= 2 * 4  # those under way at each kill: one endpoint, four calls
    assert all(row["status"] == "ok" for row in found if row not in lost)
    assert "not asked again" in said.decode()
    answered = edgewise("profile", "prompts.jsonl", "-o", "out", "--no-plots", "--again", cwd=tmp_path)
    assert answered.returncode == 0
    assert [row["status"] for row in rows(tmp_path)] == ["ok"] * 72


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


def test_a_dry_run_asks_nobody_and_an_unpriced_budget_is_refused(tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 10, price="")
    dry = edgewise("profile", "prompts.jsonl", "-o", "out", "--dry-run", "--json", cwd=tmp_path)
    found = json.loads(dry.stdout)
    assert [(each["candidate"], each["calls"], each["cost_usd"]) for each in found] == [
        (name, 10, None) for name in NAMES
    ]
    said = edgewise("profile", "prompts.jsonl", "-o", "out", "--dry-run", cwd=tmp_path).stdout.decode()
    assert "30 calls" in said
    assert "without a price" in said
    assert not (tmp_path / "out").exists()
    refused = edgewise("profile", "prompts.jsonl", "-o", "out", "--budget-usd", "1", cwd=tmp_path)
    assert "has no price" in complaint(refused)
    assert mock.calls == []


def test_what_was_measured_is_told_and_drawn(tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 3)
    words = ("profile", "prompts.jsonl", "-o", "out", "--candidates", "one,two")
    done = edgewise(*words, "--temperature", "0.7", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["candidate"] for row in rows(tmp_path)} == {"one", "two"}
    assert mock.calls[-1].json["temperature"] == 0.7
    assert "profile.html" in done.stderr.decode()
    assert (tmp_path / "out" / "latency.png").stat().st_size > 1000
    shown = edgewise("profile", "show", "out", "--json", cwd=tmp_path)
    assert [each["ok"] for each in json.loads(shown.stdout)] == [3, 3]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prompts.jsonl"], "Give a prompts file and a folder"),
        (["show", "nowhere"], "There is no profile in nowhere"),
        (["prompts.jsonl", "-o", "out", "--candidates", "four"], "There is no candidate 'four'"),
    ],
)
def test_mistakes_are_sentences(words: list[str], sentence: str, tmp_path: Path, mock: Mock) -> None:
    begun(tmp_path, mock, 2)
    assert sentence in complaint(edgewise("profile", *words, cwd=tmp_path))
    assert mock.calls == []
