"""The programs on the two pages run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integrations.clouds import Server, served

ROOT = Path(__file__).parents[2]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = """
[policy]
kind = "complexity"
explore = 0.0

[[candidates]]
id = "phi"
location = "edge"
api = "ollama"
url = "{edge}"

[[candidates]]
id = "gpt-4o-mini"
location = "cloud"
url = "{cloud}"
price = {{ input = 0.15, output = 0.60 }}
"""
SAID = {
    "library": [
        "phi says Paris.\nphi optimal_edge\n",
        "['phi']\nphi says Paris.\n",
        r"phi says Paris\.\nphi says Paris\.\nphi: \d+\.\d\d s\n",
        r"phi \{'phi': 1\.0, 'gpt-4o-mini': 0\.0\}\nNo candidate may answer .*declared local.*\n",
        "cheapest\n",
    ],
    "oblix": [
        r"openai:gpt-4 gpt-4 says Paris\.\nresource_monitor available hybrid Resources are available .*\n"
        r"connectivity_monitor optimal cloud The connection is optimal .*\n",
        "ollama:phi\nThe agent 'secrets' blocked the request: I read the prompt.\n",
    ],
}
PROGRAMS = [
    (page, number, code)
    for page in SAID
    for number, code in enumerate(PYTHON.findall((ROOT / "docs" / f"{page}.md").read_text()))
]


@pytest.fixture
def edge() -> Iterator[Server]:
    with served(Server(ollama=True)) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Server]:
    with served(Server(ollama=False)) as server:
        yield server


@pytest.mark.parametrize(("page", "number", "code"), PROGRAMS)
def test_a_program_of_a_page_runs(
    page: str, number: int, code: str, tmp_path: Path, edge: Server, cloud: Server
) -> None:
    (tmp_path / "edgewise.toml").write_text(FILE.format(edge=edge.url, cloud=cloud.url))
    places = {"OLLAMA_BASE_URL": edge.url, "OPENAI_BASE_URL": cloud.url, "OPENAI_API_KEY": "sk-x"}
    ran = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-"],
        input=code.replace("http://127.0.0.1:11434", edge.url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "EDGEWISE_HOME": str(tmp_path), **places},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    expected = SAID[page][number]
    assert ran.stdout == expected or re.fullmatch(expected, ran.stdout), ran.stdout


@pytest.mark.parametrize("page", SAID)
def test_no_program_is_left_out(page: str) -> None:
    assert len(SAID[page]) == sum(name == page for name, _, _ in PROGRAMS)
