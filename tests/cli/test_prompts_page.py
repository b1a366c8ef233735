"""What docs/prompts.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.cli.stored import edgewise, fill
from tests.outcomes.sample import decision, outcome

from edgewise.learning.prompts import read_prompts
from edgewise.learning.prompts.files import NAMES
from edgewise.learning.prompts.imports import KINDS

PAGE = (Path(__file__).parents[2] / "docs/prompts.md").read_text()
SCRIPT = """
[[candidates]]
id = "gpt-4o-mini"
location = "edge"
script = { replies = ['{"instructions": ["Help me!", "Write a will."]}'] }
"""


def test_its_commands_do_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewise.toml").write_text(SCRIPT)
    (table,) = re.findall(r"^```csv\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "tickets.csv").write_text(table)
    one = decision()
    fill(tmp_path / "edgewise.sqlite", one, outcome(one))
    consoles = re.findall(r"^```console\n\$ edgewise (.+?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(consoles) == 4
    for command, shown in consoles:
        (tmp_path / "prompts.jsonl").unlink(missing_ok=True)
        assert edgewise(monkeypatch, *shlex.split(command)) == 0
        said = capsys.readouterr()
        if shown:
            assert said.out + said.err == shown
        assert list(read_prompts(tmp_path / "prompts.jsonl"))


def test_it_names_every_key_and_every_kind_of_file() -> None:
    for name in NAMES:
        assert f"`{name}`" in PAGE
    for kind in KINDS:
        assert f"`{kind}`" in PAGE
