"""What needs torch, in an environment of its own: what `pip install 'edgewise[distill]'` brings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.integrations.environments import (
    HOME,
    LONGEST_S,
    ROOT,
    Adapter,
    Unreachable,
    python_of,
    surroundings,
)

pytestmark = pytest.mark.slow

DISTILL = Adapter("distill", "torch", "torch", "distill", also=("hypothesis>=6.150",))
SUITES = (
    "tests/learning/test_distill_adapt.py",
    "tests/learning/test_distill_stages.py",
    "tests/cli/test_distill_command.py",
    "tests/cli/test_distill_making.py",
    "tests/cli/test_distill_promise.py",
    "tests/learning/test_support_tutorial.py",
)
PULLED = HOME / "models"  # the base model, so that it is pulled once


def test_classifiers_are_made_where_torch_is(tmp_path: Path) -> None:
    try:
        python = python_of(DISTILL)
    except Unreachable as error:
        pytest.skip(f"pip reaches nothing to install torch from: {error}")
    ran = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--noconftest", *SUITES],
        capture_output=True,
        text=True,
        timeout=2 * LONGEST_S,  # it trains five times
        check=False,
        cwd=ROOT,
        env={**surroundings(tmp_path), "OMP_NUM_THREADS": "1", "EDGEWISE_TUTORIAL_HOME": str(PULLED)},
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    assert re.search(r"(\d+) passed", ran.stdout) is not None
    unmet = [line for line in ran.stdout.splitlines() if "needs the extra" in line]
    assert unmet == []
