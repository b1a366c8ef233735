"""The end of a program that was started for an alert: with all that it has started itself."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from signal import Signals
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process


async def ended(process: Process) -> None:
    """End a process that leads a session of its own (`start_new_session`), where it has not ended."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, Signals.SIGKILL)
    await process.wait()
