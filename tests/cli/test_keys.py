from __future__ import annotations

import re
import tomllib

import pytest
from msgspec.structs import fields
from typer.main import get_command
from typer.testing import CliRunner

from edgewise.cli.keys import app
from edgewise.settings import KeyRing, ServerKey
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


def test_whatever_is_asked_for_stands_in_the_lines() -> None:
    asked = {
        "privacy": "region:eu",
        "objective": "cheapest-at-quality:0.8",
        "priority": "low",
        "requests_per_minute": 60,
        "tokens_per_minute": 90_000,
        "usd_per_day": 0.00001,
    }
    options = [word for key, value in asked.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    output = runner.invoke(app, ["new", "--name", "a", *options]).output
    lines = output[output.index("[[server.keys]]") :]
    (key,) = from_tree(tomllib.loads(lines), source="printed").server.keys
    assert {name: getattr(key, name) for name in asked} == asked


def test_every_setting_of_a_key_is_an_option() -> None:
    options = {option.name for option in get_command(app).commands["new"].params}  # type: ignore[attr-defined]
    assert {field.name for field in fields(ServerKey)} - {"hash", "scopes"} <= options
    assert "scope" in options


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
            ["--name", "a", "--priority", "urgent"],
            "edgewise: --priority is 'urgent'; expected high, normal, low.\n",
        ),
        (
            ["--name", "a", "--requests-per-minute", "0"],
            "edgewise: --requests-per-minute is 0; expected a number above 0.\n",
        ),
        (
            ["--name", "a", "--usd-per-day", "nan"],
            "edgewise: --usd-per-day is nan; expected a number above 0.\n",
        ),
        (
            ["--name", "a", "--privacy", "here"],
            'edgewise: --privacy is "here"; expected "local" or a region such as "region:eu".\n',
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
