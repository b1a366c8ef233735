"""Run `edgewise` as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def edgewise(
    *words: str,
    given: bytes = b"",
    cwd: Path | None = None,
    stdout: int = subprocess.PIPE,
    patience_s: float = 120.0,
) -> subprocess.CompletedProcess[bytes]:
    """Run one command; bytes in, bytes out."""
    return subprocess.run(
        [sys.executable, "-m", "edgewise.cli", *words],
        input=given,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=patience_s,
        check=False,
        cwd=cwd,
        env={**os.environ, "EDGEWISE_HOME": str(cwd or Path.cwd())},
    )


def complaint(ran: subprocess.CompletedProcess[bytes]) -> str:
    """The one sentence on standard error of a command that refused."""
    said = ran.stderr.decode()
    assert ran.returncode == 2, said
    assert "Traceback" not in said
    assert said.startswith("edgewise: ")
    assert said.count("\n") == 1, said
    return said
