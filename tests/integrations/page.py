"""The programs of docs/integrations.md: each adapter's environment runs those of its own sections."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.integrations.talkers import Body, Said, Talker, call, last, talking

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = """
[policy]
explore = 0.0
[[candidates]]
id = "phi"
location = "edge"
url = "{url}"
"""
# What each program prints, by the section that it stands in.
SAID = {
    "pydantic-ai": ["It is Paris.\nedge-1 only_candidate\n", "Paris\n", "True\n"],
    "OpenAI's Agents SDK": ["It is Paris.\nreq_\n"],
    "OpenAI's own client": ["It is Paris.\n"],
    "LangChain": ["It is Paris.\nphi only_candidate\n", "Paris\nTrue\n"],
    "LiteLLM": ["It is Paris.\nphi only_candidate\n", "It is Paris.\n"],
    "LlamaIndex": ["It is Paris.\nreq_\n"],
    "The command llm": ["It is Paris.\nphi only_candidate\n"],
}


def programs() -> dict[str, list[str]]:
    """The programs of each section that has some."""
    found = {title: PROGRAM.findall(text) for title, text in SECTION.findall(PAGE.read_text())}
    return {title: programs for title, programs in found.items() if programs}


def check_programs(section: str, home: Path) -> None:
    """Every program of a section prints what it should, and nothing else."""
    with talking(edge := Talker("edge", _capital)):
        (home / "edgewise.toml").write_text(FILE.format(url=edge.url))
        for program, said in zip(programs()[section], SAID[section], strict=True):
            ran = subprocess.run(
                [sys.executable, "-"],
                input=program,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                cwd=home,
                env={**os.environ, "EDGEWISE_HOME": str(home)},
            )
            assert (ran.stdout, ran.stderr, ran.returncode) == (said, "", 0)


def _capital(body: Body) -> Said:
    if "tools" in body and last(body)["role"] != "tool":
        return call(body["tools"][0]["function"]["name"], {"name": "Paris", "people": 2_100_000})
    return "It is Paris."
