"""The machine: what it lacks for a measurement, and what a result must say about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.cpu import CORES, PROC
from edgewise.learning.distill.machine import cpu_name

PACKAGES = ("edgewise", "uvicorn", "uvloop", "httptools", "msgspec", "pyreqwest")
ADVICE = {
    "nginx": "nginx (apt-get install nginx-light)",
    "wrk": "wrk (apt-get install wrk)",
    "cc": "a C compiler (apt-get install gcc)",
    "cores": "Linux with two cores, one for the servers and one for the load",
}


def found(tool: str) -> str:
    """The path of a command, or an empty string. `cc` is $CC where that is set; nginx may stand in sbin."""
    name = os.environ.get("CC", "cc") if tool == "cc" else tool
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(name, path=places) or ""


def lacks(needs: frozenset[str]) -> list[str]:
    """What is missing here, each with how to get it."""
    have_cores = len(CORES) >= 2 and (PROC / "self/schedstat").exists()
    missing = {need for need in needs if (not have_cores if need == "cores" else not found(need))}
    return [advice for need, advice in ADVICE.items() if need in missing]


def facts() -> dict[str, object]:
    """CPU, kernel and versions; the load average, since what else runs here blurs every figure."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nginx": _first_line([found("nginx"), "-v"]),
        "wrk": _first_line([found("wrk"), "-v"]),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _first_line(["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]),
        "load_average": os.getloadavg()[0],
    }


def _first_line(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    printed = (done.stdout + done.stderr).splitlines()
    return printed[0] if printed else None
