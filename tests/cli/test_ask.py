"""`edgewise ask`: the answer, and nothing that a model could do to a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise

ANSWER = "A title\x1b]0;owned\x07 and\r\ta tab\nand two lines."
CONFIG = r"""
[[candidates]]
id = "sly"
location = "edge"
script = { replies = ["A title\u001b]0;owned\u0007 and\r\ta tab\nand two lines."] }
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    return tmp_path


def on_a_terminal(here: Path, *words: str) -> bytes:
    master, slave = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "edgewise.cli", *words],
            cwd=here,
            env={**os.environ, "EDGEWISE_HOME": str(here)},
            stdout=slave,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        os.close(slave)
        assert ran.returncode == 0, ran.stderr
        seen = b""
        while True:
            try:
                piece = os.read(master, 65_536)
            except OSError:  # Linux says so where everything was read
                return seen
            if not piece:
                return seen
            seen += piece
    finally:
        os.close(master)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_a_terminal_sees_control_characters_and_does_not_obey_them(here: Path) -> None:
    seen = on_a_terminal(here, "ask", "hi")
    assert b"\x1b" not in seen
    assert b"\x07" not in seen
    assert seen.decode().replace("\r\n", "\n") == (
        "A title\\x1b]0;owned\\x07 and\\r\ta tab\nand two lines.\n"
    )


def test_a_pipe_gets_the_answer_as_it_is(here: Path) -> None:
    ran = edgewise("ask", "hi", cwd=here)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == ANSWER + "\n"
    assert b"edge  sly" in ran.stderr


def test_standard_input(here: Path) -> None:
    assert edgewise("ask", "-", given=b"hi\n", cwd=here).returncode == 0
    assert "not UTF-8" in complaint(edgewise("ask", "-", given=b"\xff", cwd=here))
    assert "empty" in complaint(edgewise("ask", "-", given=b" \n", cwd=here))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(here: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        assert "Cannot write standard output" in complaint(edgewise("ask", "hi", cwd=here, stdout=full))
    finally:
        os.close(full)


def test_the_version() -> None:
    ran = edgewise("--version")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(b"edgewise ")
