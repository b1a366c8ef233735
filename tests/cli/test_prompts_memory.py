"""Importing takes the same memory for a small file and for one that is many times as large."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# With few prompts to look at, so that what is left to grow is what grows with the file.
IMPORT = """
import sys
from edgewise import cli
from edgewise.learning.prompts import pile
pile.MOST = 2_000
sys.argv = ["edgewise", "prompts", "import", *sys.argv[1:], "--keep-good"]
# ru_maxrss would begin with what the parent held
status = lambda: dict(line.split(":", 1) for line in open("/proc/self/status"))
cli._leave = lambda code: print(code, status()["VmHWM"].split()[0], file=sys.stderr)
cli.main()
"""
MB = 1_000_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how large a process was")
@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "txt"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, ending: str) -> None:
    small, large = (_peak_mb(_file(tmp_path, ending, size * MB)) for size in (2, 40))
    assert large - small < 12


def _file(folder: Path, ending: str, size: int) -> Path:
    """A file of about `size` bytes, a tenth of whose rows are bad, with a line that is far too long."""
    path = folder / f"prompts.{ending}"
    with path.open("w", encoding="utf-8") as file:
        file.write({"csv": "prompt,check\n", "json": "["}.get(ending, ""))
        number = 0
        while file.tell() < size:
            number += 1
            text = f"{number} " + f"{number**9} " * 30
            bad = number % 10 == 0
            json = f'{{"prompt": "{text}"}}'
            row = {
                "csv": f"{text},{{" if bad else f"{text},",
                "txt": "\x00" if bad else text,
                "json": ("," if number > 1 else "") + ("5" if bad else json),
                "jsonl": "nonsense" if bad else json,
            }
            file.write(row[ending] + "\n")
        if ending in {"jsonl", "txt"}:
            file.write("x" * (size // 2) + "\n")
        file.write("]" if ending == "json" else "")
    return path


def _peak_mb(path: Path) -> float:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT, str(path), "-o", str(path.with_name("out.jsonl"))],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    code, peak = ran.stderr.split()[-2:]
    assert code == "0", ran.stderr
    return int(peak) / 1000
