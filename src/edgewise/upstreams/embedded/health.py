"""Whether a model's process still answers: one that hangs is alive to the system, and dead to its callers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVERY_S = 5.0
HEALTH_S = 10.0  # its server answers while every slot is busy; only a machine out of memory takes so long
MISSES = 2  # in a row
LONGEST_LINE = 1024


async def answers(url: str, *, timeout_s: float = HEALTH_S) -> bool:
    """Whether the server at base URL `url` (".../v1") says within `timeout_s` that it is well."""
    parts = urlsplit(url)
    path = f"{parts.path.removesuffix('/v1')}/health"
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LONGEST_LINE)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            status = await reader.readline()
    except (OSError, TimeoutError, ValueError):  # refused, silent, or a line without an end
        return False
    finally:
        if writer is not None:
            writer.transport.abort()
    return b" 200 " in status


async def hangs(
    ask: Callable[[], Awaitable[bool]],
    *,
    every_s: float = EVERY_S,
    misses: int = MISSES,
    alive: Callable[[], bool] = lambda: True,
) -> bool:
    """Ask now and then; True once `misses` in a row went without an answer, False once it is not `alive`."""
    missed = 0
    while missed < misses:
        await asyncio.sleep(every_s)
        if not alive():
            return False
        missed = 0 if await ask() else missed + 1
    return alive()
