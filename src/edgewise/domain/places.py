"""Where Edgewise keeps what it must not lose: the log, model files, sessions, bundles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def home(environ: Mapping[str, str] | None = None) -> Path:
    """The state folder: EDGEWISE_HOME, or the platform's own place. Absolute, and not created here.

    Raises `SettingsError` on a machine that knows no home folder.
    """
    env = os.environ if environ is None else environ
    try:
        if named := env.get("EDGEWISE_HOME"):
            return Path(named).expanduser().absolute()
        return _data_folder(env) / "edgewise"
    except RuntimeError:
        raise SettingsError(
            "This account has no home folder for the log and the models; set EDGEWISE_HOME to a folder."
        ) from None


def _data_folder(env: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = Path(env.get("XDG_DATA_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "share"  # XDG: ignore relative paths
