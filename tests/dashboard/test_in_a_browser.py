"""Every page in a real browser, with what drives it installed for the occasion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dashboard.looking import LONGEST_S, ROOT, Missing, chromium, libraries


@pytest.mark.slow
def test_the_pages_pass_in_a_browser(tmp_path: Path) -> None:
    try:
        chromium()
        beside = libraries()
    except Missing as missing:
        pytest.skip(str(missing))
    paths = [str(ROOT / "src"), str(ROOT), str(beside), os.environ.get("PYTHONPATH", "")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/dashboard/browser"],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "EDGEWISE_HOME": str(tmp_path)},
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-1000:]
    assert re.search(r"\d+ passed", ran.stdout) is not None
    assert "skipped" not in ran.stdout
