"""What the pages promise is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import forked
from tests.servers import Running

from edgewise.cli import COMMANDS
from edgewise.gateway.chat_body import EXTENSIONS
from edgewise.settings import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_readmes_python_runs(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, inside = blocks(README, "python")
    assert run(client.replace("http://127.0.0.1:8787", running.url)) == "Paris.\n"
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewise.toml").write_text(
        '[[candidates]]\nid = "phi"\nlocation = "edge"\nscript = { replies = ["Paris."] }\n'
    )
    assert run(inside) == "Paris. only_candidate\n"


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/policies.md",
        "docs/constraints.md",
        "docs/deploy.md",
        "docs/privacy.md",
        "docs/graders.md",
    ],
)
def test_every_toml_example_loads(page: str, tmp_path: Path) -> None:
    examples = blocks((ROOT / page).read_text(), "toml")
    assert examples
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.toml"
        path.write_text(example)
        load(path)


def test_the_readmes_commands_exist() -> None:
    for line in re.findall(r"^\.venv/bin/edgewise (\w+)", README, re.MULTILINE):
        assert line in COMMANDS
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([\w-]+)$", README, re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_has_help(command: str) -> None:
    assert f"## edgewise {command}\n" in (ROOT / "docs/cli.md").read_text()
    ran = forked.decoded(forked.edgewise(command, "--help"))
    assert ran.returncode == 0, ran.stderr
    assert "Usage: edgewise" in ran.stdout


def test_every_header_is_documented() -> None:
    page = (ROOT / "docs/http.md").read_text()
    said = ["candidate", "location", "policy", "reason"]
    for name in [*EXTENSIONS, *said]:
        assert f"`x-edgewise-{name}" in page


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_architecture_names_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    for path in (ROOT / "src/edgewise").iterdir():
        if not path.name.startswith("_") and path.name != "py.typed":
            assert path.name in page, f"docs/architecture.md does not name {path.name}"
