"""The five programs as Edgewise would have them, with mock servers in their configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integrations.clouds import Server, served

from edgewise.settings import load

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.toml"))

SAID = {
    "basic": r"(llama2|gpt-4o-mini) says Paris\.\n\n\1 answered \(\w+\)\n",
    "cost": (r"llama2, \$0\.000000: .*\n  \$0\.000000 of \$5\.00 spent today, normal\n" * 2)
    + r"gpt-4o-mini, \$0\.000003: Write.*\n  \$0\.000003 of \$5\.00 spent today, normal\n",
    "four_tiers": r"phi: difficulty 0\.2\d, What is .*\ngpt-4o-mini: difficulty 0\.6\d, Analyze .*\n",
    "offline_first": r"Type a question, or exit\.\n"
    + r"\nYou: llama2 says Paris\.\n\[llama2\]\n" * 2
    + r"\nYou: ",
    "performance": r"(phi in \d+\.\d\d s: phi says Paris\.\n){2}"
    r"(gpt-4o-mini in \d+\.\d\d s: gpt-4o-mini says Paris\.\n){2}",
}


@pytest.fixture
def edge() -> Iterator[Server]:
    with served(Server(ollama=True)) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Server]:
    with served(Server(ollama=False)) as server:
        yield server


def run(name: str, folder: Path, edge: Server, cloud: Server, **more: str) -> str:
    """Run a copy of the example whose configuration differs in its addresses alone."""
    shutil.copy(EXAMPLES / f"{name}.py", folder)
    settings = (EXAMPLES / f"{name}.toml").read_text()
    settings = settings.replace("http://127.0.0.1:11434", edge.url)
    settings = settings.replace("https://api.openai.com/v1", cloud.url)
    (folder / f"{name}.toml").write_text(settings)
    ran = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", str(folder / f"{name}.py")],
        input="Are you there?\nStill?\nexit\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={**os.environ, "EDGEWISE_HOME": str(folder), "OPENAI_API_KEY": "sk-x", **more},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs(name: str, tmp_path: Path, edge: Server, cloud: Server) -> None:
    said = run(name, tmp_path, edge, cloud)
    assert re.fullmatch(SAID[name], said), said
    assert set(cloud.keys) <= {"Bearer sk-x"}


@pytest.mark.parametrize("name", NAMES)
def test_its_configuration_loads_as_it_is(name: str) -> None:
    assert len(load(EXAMPLES / f"{name}.toml").candidates) >= 2


def test_the_offline_example_goes_on_without_a_network(tmp_path: Path, edge: Server) -> None:
    with served(Server(ollama=False)) as gone:
        pass
    said = run("offline_first", tmp_path, edge, gone, EDGEWISE_SIGNALS="on")
    assert said.count("llama2 says Paris.") == 2


def test_the_budget_outlives_the_program(tmp_path: Path, edge: Server, cloud: Server) -> None:
    first, second = (run("cost", tmp_path, edge, cloud) for _ in range(2))
    assert first.endswith("$0.000003 of $5.00 spent today, normal\n")
    assert second.endswith("$0.000006 of $5.00 spent today, normal\n")
