"""`edgewise prompts`: import, sample, generate, show, as a user calls them."""

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
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import decision, outcome

from edgewise.learning.prompts import Prompt, read_prompts, write_prompts

Said = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _scripted(home: Path, *replies: Any, more: str = "", tokens_per_s: float = 0.0) -> None:
    said = [reply if isinstance(reply, str) else json.dumps({"instructions": reply}) for reply in replies]
    script = f"script = {{ replies = {json.dumps(said)}, tokens_per_s = {tokens_per_s} }}"
    (home / "edgewise.toml").write_text(f'[[candidates]]\nid = "phi"\nlocation = "edge"\n{script}\n{more}')


def test_an_import_says_what_it_kept_and_show_counts_it(home: Path, monkeypatch: Patch, capsys: Said) -> None:
    (home / "a.csv").write_text("query,task\nHello there,chat\nHello  there,chat\nWhat is 2+2?,math\n")
    (home / "b.txt").write_text("What is 2+2?\nName a river.\n")
    called = ("prompts", "import", "a.csv", "b.txt", "-o", "p.jsonl", "--kind", "time-critical", "--local")
    assert edgewise(monkeypatch, *called) == 0
    said = capsys.readouterr()
    assert "p.jsonl: 3 prompts" in said.out
    assert said.err == "Left out of 5 rows: duplicates 2.\n"
    prompts = list(read_prompts(home / "p.jsonl"))
    assert [prompt.source for prompt in prompts] == ["a.csv", "a.csv", "b.txt"]
    assert {prompt.privacy for prompt in prompts} == {"local"}
    assert edgewise(monkeypatch, "prompts", "show", "p.jsonl") == 0
    assert "3 prompts, among them 3 that are private" in capsys.readouterr().out
    assert edgewise(monkeypatch, "prompts", "show", "p.jsonl", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["kind"] == {"time-critical": 3}
    assert counts["group"] == {"": 1, "chat": 1, "math": 1}


def test_bad_rows_stop_an_import_unless_the_good_ones_are_asked_for(
    home: Path, monkeypatch: Patch, capsys: Said
) -> None:
    (home / "a.jsonl").write_bytes(b'{"prompt": "one"}\nnonsense\n{"prompt": "\xe9"}\n{"prompt": "two"}\n')
    called = ("prompts", "import", "a.jsonl", "-o", "p.jsonl")
    assert edgewise(monkeypatch, *called) == 2
    assert capsys.readouterr().err == (
        "edgewise: a.jsonl, line 2 is not JSON; --keep-good leaves such lines out.\n"
    )
    assert not (home / "p.jsonl").exists()
    assert edgewise(monkeypatch, *called, "--keep-good") == 0
    said = capsys.readouterr()
    assert "p.jsonl: 2 prompts" in said.out
    assert said.err.count("Left out: a.jsonl, line ") == 2
    assert "Left out of 4 rows: no prompts 2." in said.err


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("a.csv", "-o", "p.csv"), "it ends in .jsonl"),
        (("a.csv", "-o", "p.jsonl"), "has no column `prompt`; it has q"),
        (("none.csv", "-o", "p.jsonl"), "Cannot read none.csv: No such file"),
        (("a.csv", "-o", "p.jsonl", "--balance", "x"), "there are kind, group, level"),
        (("a.csv", "-o", "p.jsonl", "--turns", "x"), "there are first, last"),
        (("a.csv", "-o", "p.jsonl", "--test", "2"), "--test is a share"),
        (("a.csv", "-o", "p.jsonl", "--columns", "prompt=q", "-n", "0"), "--number must be at least 1"),
        (("a.csv", "-o", "nowhere/p.jsonl", "--columns", "prompt=q"), "Cannot write nowhere/p.jsonl"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    home: Path, monkeypatch: Patch, capsys: Said, words: tuple[str, ...], wrong: str
) -> None:
    (home / "a.csv").write_text("q\nHello\n")
    assert edgewise(monkeypatch, "prompts", "import", *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("edgewise: ")
    assert said.count("\n") == 1
    assert wrong in said


def test_a_sample_of_the_log_keeps_what_was_promised(home: Path, monkeypatch: Patch, capsys: Said) -> None:
    asked = [decision(prompt=f"{number} {number**9}") for number in range(40)]
    again = decision(prompt=asked[3].prompt, privacy="local")
    found = decision(prompt="My number is 4111 1111", evidence={"found:card": 1.0})
    shadow = decision(prompt="of a shadow", shadow_of=asked[0].id)
    silent = decision(prompt=None, prompt_hash="x")
    log = (*asked, again, found, shadow, silent)
    fill(home / "edgewise.sqlite", *log, *map(outcome, log))
    called = ("prompts", "sample", "-o", "p.jsonl", "-n")
    assert edgewise(monkeypatch, *called, "100") == 0
    assert "The log holds no more: 41 of 100." in capsys.readouterr().err
    prompts = {prompt.prompt: prompt for prompt in read_prompts(home / "p.jsonl")}
    assert len(prompts) == 41
    assert {text for text, prompt in prompts.items() if prompt.privacy == "local"} == {
        again.prompt,
        found.prompt,
    }
    draws: list[bytes] = []
    for seed in ("0", "0", "1"):
        assert edgewise(monkeypatch, *called, "10", "--seed", seed) == 0
        draws.append((home / "p.jsonl").read_bytes())
    assert draws[0] == draws[1] != draws[2]
    assert draws[0].count(b"\n") == 10


def test_a_log_without_texts_is_said(home: Path, monkeypatch: Patch, capsys: Said) -> None:
    one = decision(prompt=None, prompt_hash="x")
    fill(home / "edgewise.sqlite", one, outcome(one))
    assert edgewise(monkeypatch, "prompts", "sample", "-o", "p.jsonl") == 2
    assert 'no prompt\'s text: [store] prompts was not "full" for its 1 decisions' in capsys.readouterr().err


def test_a_candidate_makes_prompts_of_ones_own_kinds(home: Path, monkeypatch: Patch, capsys: Said) -> None:
    _scripted(home, ["Boil an egg.", "Roast a duck."], ["Help me!", "Quick, what now?"])
    called = ("prompts", "generate", "--by", "phi", "-o", "p.jsonl", "-n", "4", "--concurrency", "1")
    kinds = ("--kind", "recipes=1: about cooking", "--kind", "urgent=1: at once")
    assert edgewise(monkeypatch, *called, *kinds) == 0
    assert capsys.readouterr().out == "p.jsonl: 4 prompts\n"
    prompts = list(read_prompts(home / "p.jsonl"))
    assert Counter(prompt.kind for prompt in prompts) == {"recipes": 2, "urgent": 2}
    assert {prompt.source for prompt in prompts} == {"generated:phi"}
    assert edgewise(monkeypatch, "prompts", "sample", "-o", "s.jsonl") == 2  # what it was told is no prompt
    assert "holds no prompt's text" in capsys.readouterr().err


def test_the_configurations_kinds_are_made_and_too_little_is_said(
    home: Path, monkeypatch: Patch, capsys: Said
) -> None:
    kinds = '[prompts.kinds.jokes]\ndescription = "funny"\n'
    _scripted(home, ["Tell me a joke."], more=kinds)
    assert edgewise(monkeypatch, "prompts", "generate", "--by", "phi", "-o", "p.jsonl", "-n", "9") == 0
    said = capsys.readouterr()
    assert said.out == "p.jsonl: 1 prompts\n"
    assert "phi has nothing new of the kind 'jokes' any more: 8 are missing." in said.err


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--by", "nobody"), "There is no candidate 'nobody' to make prompts; there are phi."),
        (("--by", "phi", "-n", "0"), "--number must be at least 1"),
        (("--by", "phi", "--kind", "x"), "--kind 'x' cannot be read"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    home: Path, monkeypatch: Patch, capsys: Said, words: tuple[str, ...], wrong: str
) -> None:
    _scripted(home, ["x"])
    assert edgewise(monkeypatch, "prompts", "generate", "-o", "p.jsonl", *words) == 2
    assert wrong in capsys.readouterr().err


def test_without_the_extra_it_is_named(home: Path, monkeypatch: Patch, capsys: Said) -> None:
    _scripted(home, ["x"])
    monkeypatch.setattr("edgewise.cli.making.find_spec", lambda _: None)
    assert edgewise(monkeypatch, "prompts", "generate", "--by", "phi", "-o", "p.jsonl") == 2
    assert "pip install 'edgewise[pydantic-ai]'" in capsys.readouterr().err
    monkeypatch.setattr("edgewise.cli.prompts.find_spec", lambda _: None)
    assert edgewise(monkeypatch, "prompts", "import", "a.csv", "-o", "p.jsonl") == 2
    assert "pip install 'edgewise[learn]'" in capsys.readouterr().err


def test_a_candidate_that_does_not_answer_ends_it_and_what_there_is_stays(
    home: Path, monkeypatch: Patch, capsys: Said
) -> None:
    _scripted(home, ["x"], more="network = { loss = 1.0 }\n")
    write_prompts([Prompt(prompt="Hello", kind="time-critical")], home / "p.jsonl")
    assert edgewise(monkeypatch, "prompts", "generate", "--by", "phi", "-o", "p.jsonl") == 2
    assert "No more prompts can be made: " in capsys.readouterr().err
    assert [prompt.prompt for prompt in read_prompts(home / "p.jsonl")] == ["Hello"]


@pytest.mark.slow
def test_ctrl_c_leaves_a_whole_file_that_the_same_command_goes_on_with(
    home: Path, monkeypatch: Patch
) -> None:
    _scripted(home, ["Say One.", "Say Two.", "Say Three."], "endless " * 10_000, tokens_per_s=50)
    words = (
        "--by",
        "phi",
        "-o",
        "p.jsonl",
        "-n",
        "6",
        "--kind",
        "a=1: x",
        "--batch",
        "3",
        "--concurrency",
        "1",
    )
    called = [sys.executable, "-m", "edgewise.cli", "prompts", "generate", *words]
    path = home / "p.jsonl"
    with subprocess.Popen(called, cwd=home, env={**os.environ}, stderr=subprocess.PIPE) as process:
        while not (path.exists() and path.stat().st_size):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert "p.jsonl holds 3 of 6 prompts; the same command goes on." in said
    assert "Traceback" not in said
    _scripted(home, ["Say One.", "Say Four.", "Say Five."], ["Say Six."])
    assert edgewise(monkeypatch, *called[3:]) == 0
    found = [prompt.prompt for prompt in read_prompts(path)]
    assert found == ["Say One.", "Say Two.", "Say Three.", "Say Four.", "Say Five.", "Say Six."]
