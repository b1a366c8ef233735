from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import DECISION, OUTCOME

from edgewise.outcomes import LogReader


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "edgewise.sqlite", DECISION, OUTCOME)
    return tmp_path


def test_it_is_kept_beside_the_decision_and_in_the_table(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgewise(monkeypatch, "feedback", "last", "--rating", "4", "--comment", "fine") == 0
    assert "quality 0.75" in capsys.readouterr().out
    assert edgewise(monkeypatch, "feedback", DECISION.id[:12], "--correction", "--abandoned-after", "3") == 0
    capsys.readouterr()
    story = LogReader(home / "edgewise.sqlite").decision("last")
    assert story is not None
    first, second = story.feedback
    assert (first.rating, first.comment, first.source, first.correction) == (4.0, "fine", "user", None)
    assert (second.correction, second.abandoned_s, second.rating) == (True, 3.0, None)
    assert (story.quality, story.judged_by) == (0.75, "user")
    assert edgewise(monkeypatch, "log", "export", "--output", "rated.csv") == 0
    with (home / "rated.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["quality"], row["judge"]) == ("0.75", "user")
    assert edgewise(monkeypatch, "explain", "last") == 0
    told = capsys.readouterr().out
    assert "rating 4" in told
    assert "corrected by what followed, given up after 3" in told


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert edgewise(monkeypatch, "feedback", "last", "--success", "1", "--source", "app", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["decision_id"] == DECISION.id
    assert (told["success"], told["source"]) == (1.0, "app")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["last"], "Feedback says nothing"),
        (["last", "--rating", "6"], "`rating` lies between 1 and 5."),
        (["nothing", "--thumbs", "up"], "There is no decision 'nothing'"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_kept(
    home: Path,
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edgewise(monkeypatch, "feedback", *words) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert not told.out
    story = LogReader(home / "edgewise.sqlite").decision("last")
    assert story is not None
    assert story.feedback == ()
