"""The two tutorials, run as a reader would run them, on fewer prompts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, folder: Path, count: int) -> str:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), str(folder / "out"), str(count)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
        env={**os.environ, "EDGEWISE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_placement(tmp_path: Path) -> None:
    said = run("placement_tutorial", tmp_path, 300)
    assert "'learned' is better than best single" in said
    assert said.endswith(
        "edge: A bee stung my hand, what do I do?\ncloud: Explain step by step how to assemble an oak desk.\n"
    )
    out = tmp_path / "out"
    assert (out / "three_policies.png").read_bytes().startswith(b"\x89PNG")
    report = json.loads((out / "evaluation.json").read_text())
    realised = {policy["name"]: policy["utility"] for policy in report["policies"]}
    assert realised["learned"]["low"] > realised["always edge"]["high"]
    assert realised["learned"]["mean"] <= realised["oracle"]["mean"]


@pytest.mark.slow
def test_selection(tmp_path: Path) -> None:
    said = run("selection_tutorial", tmp_path, 600)
    assert "The objective is qos." in said
    assert "'learned' is better than best single" in said
    assert (tmp_path / "out" / "policies.png").exists()
