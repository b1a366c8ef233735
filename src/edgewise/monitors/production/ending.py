"""Programs that are started for an alert: they end with all that they have started themselves."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from signal import Signals
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence


async def started(words: Sequence[str], **options: Any) -> Process:
    """A program in a session of its own. Whoever is cancelled meanwhile has ended it, with its children.

    Raises OSError and ValueError for what cannot be started.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(*words, **options, start_new_session=True)
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # asyncio itself would kill the program alone
        with suppress(OSError, ValueError):
            await ended(await starting)
        raise


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
