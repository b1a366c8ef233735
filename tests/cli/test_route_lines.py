"""`edgewise route`: what counts as a prompt, and that no line and no disk can cost the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import complaint, edgewise

CONFIG = """
[[candidates]]
id = "small"
location = "edge"
url = "http://127.0.0.1:9/v1"
context_tokens = 1000
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    return tmp_path


def told(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def routed(here: Path, name: str, content: bytes) -> list[str]:
    (here / name).write_bytes(content)
    ran = edgewise("route", "--input", name, cwd=here)
    assert ran.returncode == 0, ran.stderr
    return [line["prompt"] for line in told(ran.stdout)]


def test_empty_lines_at_the_end_are_ignored(here: Path) -> None:
    assert routed(here, "in.txt", b"one\ntwo\n\n  \n") == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.txt", b"one\n\nthree\n", "in.txt, line 2 is empty"),
        ("in.txt", b"one\na\xff\n", "in.txt, line 2 is not UTF-8 text"),
        ("in.txt", b"\n\n", "holds no prompt"),
        ("in.txt", b"one\na\x00b\n", "line 2 holds a NUL"),
        ("in.txt", b'{"text": "hi"}\n', "line 1 is no JSON object with a `prompt`"),
        ("in.jsonl", b'{"prompt": "one"}\n{"prompt": " "}\n', "in.jsonl, line 2 is empty"),
        ("in.jsonl", b'{"prompt": "one"}\n{oops\n', "line 2 is no JSON object with a `prompt`"),
        ("in.jsonl", b"one\n", "line 1 is no JSON object with a `prompt`"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_decided(
    here: Path, name: str, content: bytes, said: str
) -> None:
    (here / name).write_bytes(content)
    ran = edgewise("route", "--input", name, "--output", "out.jsonl", cwd=here)
    assert said in complaint(ran)
    assert {path.name for path in here.iterdir()} == {"edgewise.toml", name}


def test_a_line_of_text_may_begin_with_a_brace(here: Path) -> None:
    lines = b'{ what does this brace mean?\n{"prompt": "a JSON line"}\n{x: 1}\n'
    assert routed(here, "in.txt", lines) == ["{ what does this brace mean?", "a JSON line", "{x: 1}"]


def test_a_byte_order_mark_is_no_part_of_a_prompt(here: Path) -> None:
    assert routed(here, "in.txt", b"\xef\xbb\xbfone\r\ntwo\r\n") == ["one", "two"]


@pytest.mark.parametrize("words", [("route", "-"), ("route", "--input", "-")])
def test_a_dash_is_standard_input(here: Path, words: tuple[str, ...]) -> None:
    ran = edgewise(*words, given=b'one\n{"prompt": "two"}\n', cwd=here)
    assert [line["prompt"] for line in told(ran.stdout)] == ["one", "two"]
    assert "standard input, line 1 is not UTF-8" in complaint(edgewise(*words, given=b"\xff\n", cwd=here))


def test_a_prompt_that_nobody_can_read_does_not_cost_the_others(here: Path) -> None:
    lines = [json.dumps({"prompt": prompt}) for prompt in ("short", "long " * 10_000, "short again")]
    ran = edgewise("route", "--input", "-", given="\n".join(lines).encode(), cwd=here)
    assert ran.returncode == 0
    first, refused, last = told(ran.stdout)
    assert (first["candidate"], last["candidate"]) == ("small", "small")
    assert set(refused) == set(first)
    assert refused["candidate"] is None
    assert refused["reason"] == "context_length_exceeded"
    assert refused["objections"][0]["candidate"] == "small"
    assert b"1 of 3 prompts may go to nobody" in ran.stderr


def test_nothing_half_written_is_left(here: Path) -> None:
    (here / "out").mkdir()
    assert "Cannot write out" in complaint(edgewise("route", "hi", "--output", "out", cwd=here))
    assert "Cannot write no/out" in complaint(edgewise("route", "hi", "--output", "no/out", cwd=here))
    assert {path.name for path in here.iterdir()} == {"edgewise.toml", "out"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "words", [("route", "hi"), ("candidates",), ("candidates", "--json"), ("--help",), ("--version",)]
)
def test_a_full_disk_is_one_sentence(here: Path, words: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        assert "No space left on device" in complaint(edgewise(*words, cwd=here, stdout=full))
    finally:
        os.close(full)
    if words[0] == "route":
        assert "Cannot write /dev/full" in complaint(edgewise(*words, "--output", "/dev/full", cwd=here))
        assert Path("/dev/full").is_char_device()


def test_a_reader_that_goes_away_gets_no_traceback(here: Path) -> None:
    (here / "many.txt").write_text("a prompt\n" * 3000)
    script = f"{sys.executable} -m edgewise.cli route --input many.txt | head -n 1"
    ran = subprocess.run(["/bin/sh", "-c", script], cwd=here, capture_output=True, timeout=120, check=False)
    assert told(ran.stdout)[0]["prompt"] == "a prompt"
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_by_its_device(here: Path, into: str, name: str) -> None:
    before = Path("/dev/stdout").lstat().st_ino
    with (here / "out").open("wb") as out:
        stdout = subprocess.PIPE if into == "pipe" else out.fileno()
        ran = edgewise("route", "hi", "--output", name, cwd=here, stdout=stdout)
    written = ran.stdout if into == "pipe" else (here / "out").read_bytes()
    assert told(written)[0]["prompt"] == "hi"
    assert Path("/dev/stdout").lstat().st_ino == before  # nobody put a file in its place


def test_a_link_stays_a_link(here: Path) -> None:
    (here / "link").symlink_to("real")
    assert edgewise("route", "hi", "--output", "link", cwd=here).returncode == 0
    assert (here / "link").is_symlink()
    assert told((here / "real").read_bytes())[0]["prompt"] == "hi"


def test_an_argument_of_other_bytes(here: Path) -> None:
    command: list[str | bytes] = [sys.executable, "-m", "edgewise.cli", "route", b"a\xff"]
    ran = subprocess.run(command, cwd=here, capture_output=True, timeout=120, check=False)
    assert "The prompt is not UTF-8 text" in complaint(ran)
