"""One look at a configured endpoint: a TCP handshake, and nothing else."""

from __future__ import annotations

import asyncio
from time import monotonic

PATIENCE_S = 0.75


async def handshake(host: str, port: int, timeout_s: float = PATIENCE_S) -> float | None:
    """Seconds that a connection to `host` took, one round trip once the name is known; None for none.

    Nothing is sent. The name is looked up first, within the same time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
            address = str(found[0][4][0])
            began = monotonic()
            _, writer = await asyncio.open_connection(address, port)
            took = monotonic() - began
    except (OSError, UnicodeError):  # TimeoutError is an OSError, a name that is none a UnicodeError
        return None
    writer.close()
    return took
