"""A browser for tests of pages: where it comes from, and how a page is looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-envs"
PACKAGES = ("playwright>=1.50", "axe-core-python>=0.1")
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OFFLINE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "Network is unreachable")
LONGEST_S = 1800.0
# No sandbox: the tests may run as root, and see only pages of ours. The rest keeps it off the network.
OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb",
)  # fmt: skip


class Missing(Exception):
    """There is no browser, or nothing to drive it with; the text says what would bring one."""


def is_here() -> bool:
    """Whether a browser can be driven in this very environment."""
    return all(find_spec(name) is not None for name in ("playwright", "axe_core_python"))


def chromium() -> str:
    """The system's Chromium; installed by apt where that may be done. Raises Missing."""
    found = _found()
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        subprocess.run(command, env=quiet, capture_output=True, timeout=LONGEST_S, check=False)
        found = _found()
    if found is None:
        raise Missing("there is no Chromium; `apt-get install chromium` brings one")
    return found


def libraries() -> Path:
    """A folder with what drives the browser, beside this environment's own packages. Raises Missing."""
    folder = HOME / f"browser-{sys.version_info.major}.{sys.version_info.minor}"
    ready = folder / ".ready"
    told = "\n".join(PACKAGES)
    if ready.exists() and ready.read_text() == told:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    ran = subprocess.run(
        [*command, "--target", str(folder), *PACKAGES],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    if ran.returncode != 0:
        if any(word in ran.stderr for word in OFFLINE):
            raise Missing(f"pip reaches nothing to install Playwright from: {ran.stderr.splitlines()[-1]}")
        raise RuntimeError(ran.stderr[-2000:])
    ready.write_text(told)
    return folder


def _found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
