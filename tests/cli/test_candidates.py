"""A bundle that cannot be used: every command that meets it says so, and names the file that wants it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise

CONFIG = """
[policy]
kind = "bundle"
bundle = "nowhere"
[[candidates]]
id = "parrot"
location = "edge"
script = { replies = ["Yes."] }
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    return tmp_path


def sentence(here: Path) -> str:
    return f"edgewise.toml: {here / 'nowhere'} is no bundle"


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("ask", "hi"), ("route", "hi"), ("demo",)])
def test_those_that_need_it_refuse(here: Path, words: tuple[str, ...]) -> None:
    assert sentence(here) in complaint(edgewise(*words, cwd=here))


def test_candidates_are_listed_all_the_same(here: Path) -> None:
    ran = edgewise("candidates", cwd=here)
    assert ran.returncode == 0
    assert b"parrot" in ran.stdout
    assert sentence(here) in ran.stderr.decode()
    assert json.loads(edgewise("candidates", "--json", cwd=here).stdout)[0]["id"] == "parrot"


def test_doctor_finds_it(here: Path) -> None:
    ran = edgewise("doctor", "--json", cwd=here)
    assert ran.returncode == 1
    (found,) = (check for check in json.loads(ran.stdout)["checks"] if check["name"] == "policy")
    assert found["state"] == "fail"
    assert sentence(here) in found["found"]


def test_doctor_says_nothing_of_policies_that_need_nothing(here: Path) -> None:
    (here / "edgewise.toml").write_text(
        CONFIG.replace('"bundle"', '"random"').replace('bundle = "nowhere"', "")
    )
    report = json.loads(edgewise("doctor", "--json", cwd=here).stdout)
    assert not [check for check in report["checks"] if check["name"] == "policy"]
