from __future__ import annotations

import re
import tomllib

import pytest
from typer.testing import CliRunner

from edgewise.cli.keys import app
from edgewise.settings import KeyRing
from edgewise.settings.load import from_tree

runner = CliRunner()


@pytest.mark.parametrize("name", ["laptop", 'Ann\'s "big" machine \\ ü'])
def test_the_lines_let_the_key_in(name: str) -> None:
    result = runner.invoke(
        app, ["new", "--name", name, "--scope", "read", "--scope", "admin", "--scope", "read"]
    )
    assert result.exit_code == 0
    (key,) = re.findall(r"ew-[A-Za-z0-9_-]{43}", result.output)
    lines = result.output[result.output.index("[[server.keys]]") :]
    settings = from_tree(tomllib.loads(lines), source="printed")
    found = KeyRing(settings.server.keys).find(key)
    assert found is not None
    assert (found.name, found.scopes) == (name, ("read", "admin"))


def test_a_key_may_have_an_objective_of_its_own() -> None:
    output = runner.invoke(app, ["new", "--name", "a", "--objective", "fastest-at-quality:0.7"]).output
    lines = output[output.index("[[server.keys]]") :]
    assert from_tree(tomllib.loads(lines), source="f").server.keys[0].objective == "fastest-at-quality:0.7"


def test_without_scopes_a_key_may_ask_and_read() -> None:
    output = runner.invoke(app, ["new", "--name", "a"]).output
    assert 'scopes = ["inference", "read"]' in output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--name", "a", "--scope", "root"],
            "edgewise: --scope is 'root'; expected inference, read, admin.\n",
        ),
        (
            ["--name", "a", "--objective", "qos:3"],
            "edgewise: --objective: The objective 'qos' takes no number, found '3'.\n",
        ),
        (
            ["--name", " "],
            "edgewise: --name is empty or has a line break in it; expected a name such as laptop.\n",
        ),
        (
            ["--name", "a\nb"],
            "edgewise: --name is empty or has a line break in it; expected a name such as laptop.\n",
        ),
    ],
)
def test_bad_input_gets_one_sentence_and_no_key(options: list[str], sentence: str) -> None:
    result = runner.invoke(app, ["new", *options])
    assert (result.exit_code, result.stderr, result.stdout) == (2, sentence, "")
