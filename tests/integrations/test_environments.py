"""Every adapter with the real library, in an environment that holds nothing but what its extra brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integrations.environments import (
    ADAPTERS,
    LONGEST_S,
    ROOT,
    Adapter,
    Unreachable,
    python_of,
    surroundings,
)

pytestmark = pytest.mark.slow
NAMES = [adapter.name for adapter in ADAPTERS]


@pytest.fixture
def python(adapter: Adapter) -> Path:
    try:
        return python_of(adapter)
    except Unreachable as error:
        pytest.skip(f"pip reaches nothing to install {adapter.title} from: {error}")


@pytest.mark.parametrize("adapter", ADAPTERS, ids=NAMES)
def test_an_adapter_passes_in_an_environment_of_its_own(
    adapter: Adapter, python: Path, tmp_path: Path
) -> None:
    suite = [str(adapter.tests.relative_to(ROOT)), "--confcutdir=tests/integrations"]
    ran = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *adapter.options, *suite],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        cwd=ROOT,
        env=surroundings(tmp_path),
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert "skipped" not in ran.stdout


@pytest.mark.parametrize("adapter", ADAPTERS, ids=NAMES)
def test_an_adapters_types_are_its_librarys(adapter: Adapter, python: Path, tmp_path: Path) -> None:
    project = tmp_path / "pyrightconfig.json"  # ours leaves out what it may lack the library of
    source = os.path.relpath(ROOT / "src/edgewise/integrations" / adapter.name, tmp_path)
    strict = {"include": [source], "extraPaths": [str(ROOT / "src")], "typeCheckingMode": "strict"}
    project.write_text(json.dumps({**strict, "pythonVersion": "3.11"}))
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "-p", str(project), "--pythonpath", str(python)],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stdout
    assert "No source files" not in ran.stdout
