"""Run `edgewise` as a user does: in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests import forked


def edgewise(
    *words: str,
    given: bytes = b"",
    cwd: Path | None = None,
    stdout: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[bytes]:
    """Run one command; bytes in, bytes out."""
    return forked.edgewise(*words, given=given, cwd=cwd, stdout=stdout, EDGEWISE_HOME=str(cwd or Path.cwd()))


def complaint(ran: subprocess.CompletedProcess[bytes]) -> str:
    """The one sentence on standard error of a command that refused."""
    said = ran.stderr.decode()
    assert ran.returncode == 2, said
    assert "Traceback" not in said
    assert said.startswith("edgewise: ")
    assert said.count("\n") == 1, said
    return said
