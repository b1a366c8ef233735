from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from tests.integrations.environments import ROOT


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs find the entry points of pyproject.toml, as after an installation."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["llm"]
    folder = tmp_path / "site" / "edgewise-0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: edgewise\nVersion: 0\n")
    lines = "".join(f"{name} = {where}\n" for name, where in points.items())
    (folder / "entry_points.txt").write_text(f"[llm]\n{lines}")
    monkeypatch.setenv("PYTHONPATH", f"{folder.parent}{os.pathsep}{ROOT / 'src'}")
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
