"""Programs of the SDK as their users run them: in processes of their own, to the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integrations.clouds import Server, served
from tests.integrations.reference import NAMES, PAGE, folder, programs

OWN = Path(__file__).parent / "programs"
KEY = "sk-canary-0123456789"
TYPED = "How are you?\nAnd now?\nEXIT\n"
ANYBODY = r"(ollama:(phi|llama2)|openai:gpt-(3\.5-turbo|4))"


@pytest.fixture
def edge() -> Iterator[Server]:
    with served(Server(ollama=True)) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Server]:
    with served(Server(ollama=False)) as server:
        yield server


def run(program: Path, home: Path, edge: Server, cloud: Server, **more: str) -> str:
    """Run a program with its signals on; it must end by itself, without a word on standard error."""
    environment = {name: value for name, value in os.environ.items() if name != "EDGEWISE_SIGNALS"}
    environment |= {
        "EDGEWISE_HOME": str(home),
        "OLLAMA_BASE_URL": edge.url,
        "OPENAI_BASE_URL": cloud.url,
        "OPENAI_API_KEY": KEY,
        **more,
    }
    ran = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", str(program)],
        input=TYPED,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=home,
        env=environment,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    for file in home.rglob("*.sqlite*"):
        assert KEY.encode() not in file.read_bytes()
    # Tests that run beside this one may look on Ollama's usual port for what this machine has to offer.
    assert set(edge.strange) <= {"/api/ps", "/v1/models"}
    assert cloud.strange == []
    return ran.stdout


# What each program of the page prints, whatever the state of the machine that runs the tests.
SAID = {
    "basic": rf"Response from {ANYBODY}:\n\S+ says Paris\.\n\nOrchestration decisions:\n"
    r"- resource_monitor: (available|constrained|critical), target: (hybrid|cloud)\n"
    r"- connectivity_monitor: (optimal|degraded), target: (cloud|hybrid)\n",
    "four_tiers": rf"Simple query used: {ANYBODY}\nComplex query used: {ANYBODY}\n",
    "offline_first": r"Offline-First AI Assistant.*\n"
    + rf"\nYou: \nUsing model: {ANYBODY}\nResponse: \S+ says Paris\.\n" * 2
    + r"\nYou: ",
    "performance": (
        r"\nTask: .*\nSimple task detected, using edge model for speed\n"
        r"Response from ollama:phi:\nphi says Paris\.\nResponse time: \d+\.\d\d seconds\n"
    )
    * 2
    + (
        r"\nTask: .*\nComplex task detected, using intelligent orchestration\n"
        rf"Response from {ANYBODY}:\n\S+ says Paris\.\nResponse time: \d+\.\d\d seconds\n"
    )
    * 2,
    # Short prompts: the program's own agent says local, which comes before everybody else's cloud.
    "cost": (
        r"\n--- Query: .*\nModel used by orchestration: ollama:llama2\n"
        r"Budget status: \$0\.0000 spent \(of \$5\.00 total\)\nBudget usage: 0\.0%\nllama2 says Paris\.\n"
    )
    * 3
    + r"\n--- Final Budget Status ---\nTotal spend: \$0\.0000\nRemaining budget: \$5\.0000\n",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_programs_run_unchanged_but_for_the_import_lines(
    name: str, tmp_path: Path, cloud: Server
) -> None:
    page = folder() / PAGE
    if not page.exists():
        pytest.skip(f"the SDK's page is not at hand ({PAGE} in EDGEWISE_REFERENCE)")
    program = tmp_path / f"{name}.py"
    program.write_text(programs(page.read_text())[name])
    try:
        with served(Server(ollama=True), port=11434) as edge:
            said = run(program, tmp_path, edge, cloud)
    except OSError as taken:
        pytest.skip(f"the port that the programs name, 11434, is taken ({taken})")
    assert re.fullmatch(SAID[name], said), said


EXPECTED = {
    "basic": "openai:gpt-3.5-turbo | gpt-3.5-turbo says Paris.\n"
    "resource_monitor available hybrid\nconnectivity_monitor optimal cloud\n",
    "four_tiers": "easy: openai:gpt-3.5-turbo\nhard: openai:gpt-4\n",
    "offline_first": "You: openai:gpt-3.5-turbo | gpt-3.5-turbo says Paris.\n" * 2 + "You: ",
    "performance": "ollama:phi | phi says Paris. | True\n"
    "openai:gpt-3.5-turbo | gpt-3.5-turbo says Paris. | True\n",
    # 10 tokens at 0.0015 a thousand: 15 % of the budget each, until 85 % of it are gone.
    "cost": "ollama:llama2 budget_available\n"
    + "openai:gpt-3.5-turbo budget_available\n" * 6
    + "ollama:llama2 budget_critical\n" * 2,
}


@pytest.mark.parametrize("name", NAMES)
def test_programs_with_the_same_calls(name: str, tmp_path: Path, edge: Server, cloud: Server) -> None:
    said = run(OWN / f"own_{name}.py", tmp_path, edge, cloud, EDGEWISE_SIGNALS="off")
    assert said == EXPECTED[name]


def test_a_loop_that_waits_for_its_user_sees_a_cloud_that_is_gone(tmp_path: Path, edge: Server) -> None:
    with served(Server(ollama=False)) as gone:
        pass
    said = run(OWN / "own_offline_first.py", tmp_path, edge, gone)
    assert said == "You: ollama:llama2 | llama2 says Paris.\n[offline]\n" * 2 + "You: "
