"""Each adapter's own environment: its library may want what another's does not.

A new adapter is a folder `src/edgewise/integrations/NAME`, an extra of its own in pyproject.toml, a folder
`tests/integrations/NAME`, and a line in `ADAPTERS`. Its tests run wherever its library is installed, and
`make test-all` installs an environment for each, below `.venv-envs/`, with nothing but what `pip install
'edgewise[EXTRA]'` brings, pytest, and what the line adds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-envs"
READY = ".ready"
OFFLINE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "Network is unreachable")
LONGEST_S = 1800.0


class Unreachable(Exception):
    """pip reaches nothing to install from."""


@dataclass(frozen=True)
class Adapter:
    """`name` is its folder, `title` what the page calls it, `module` what it imports, `extra` what it needs.

    `also` are packages that only its tests need, `options` go to pytest.
    """

    name: str
    title: str
    module: str
    extra: str
    also: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether its library is installed in this environment."""
        return find_spec(self.module) is not None

    @property
    def tests(self) -> Path:
        return ROOT / "tests" / "integrations" / self.name

    def packages(self) -> list[str]:
        """What is installed: the core, the extra, and what its tests need."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        dev = project["optional-dependencies"]["dev"]
        tools = [one for one in dev if one.startswith("pytest>")]
        return [*project["dependencies"], *project["optional-dependencies"][self.extra], *tools, *self.also]


# The library leaves clients open for the garbage collector, which may come after the last test.
LEFT_OPEN = ("-W", "ignore::ResourceWarning", "-W", "ignore::pytest.PytestUnraisableExceptionWarning")
ADAPTERS = (
    Adapter("pydantic_ai", "pydantic-ai", "pydantic_ai", "pydantic-ai"),
    Adapter("openai_agents", "OpenAI Agents SDK", "agents", "openai-agents"),
    Adapter("mcp", "MCP", "mcp", "mcp"),
    Adapter("langchain", "LangChain", "langchain_core", "langchain"),
    Adapter("llm", "llm", "llm", "llm"),
    Adapter("litellm", "LiteLLM", "litellm", "litellm"),
    Adapter("llamaindex", "LlamaIndex", "llama_index", "llamaindex", options=LEFT_OPEN),
)


def python_of(adapter: Adapter) -> Path:
    """The interpreter of the adapter's environment, installed if need be.

    Raises Unreachable where pip reaches nothing, RuntimeError with pip's words where it fails otherwise.
    """
    wanted = adapter.packages()
    told = "\n".join([sys.version, *wanted])
    folder = HOME / f"{adapter.name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / READY).exists():
        return python
    for old in HOME.glob(f"{adapter.name}-*"):
        shutil.rmtree(old)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    (folder / READY).write_text(told)
    return python


def surroundings(home: Path) -> dict[str, str]:
    """The variables that a program of an environment runs with."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "EDGEWISE_HOME": str(home),
        "EDGEWISE_SIGNALS": "off",
    }


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if ran.returncode == 0:
        return
    if any(word in ran.stderr for word in OFFLINE):
        raise Unreachable(ran.stderr.strip().splitlines()[-1])
    raise RuntimeError(ran.stderr[-2000:])
