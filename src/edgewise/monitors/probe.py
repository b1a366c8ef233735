"""One look at a configured endpoint: a TCP handshake, and nothing else."""

from __future__ import annotations

import asyncio
from socket import SOCK_STREAM
from time import monotonic

PATIENCE_S = 0.75


async def handshake(host: str, port: int, timeout_s: float = PATIENCE_S) -> float | None:
    """Seconds that a connection to `host` took, one round trip once the name is known; None for none.

    Nothing is sent. The name is looked up first, within the same time. Where it has addresses of two kinds
    (`localhost` mostly has), the second is tried after the first, and has half of the time left to it.
    """
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
            addresses: dict[int, str] = {}
            for family, *_, place in found:
                addresses.setdefault(family, str(place[0]))
            first, *others = addresses.values()
            took = await _connected(first, port, timeout_s / 2 if others else timeout_s)
            if took is None and others:
                took = await _connected(others[0], port, timeout_s)
            return took
    except (OSError, UnicodeError):  # TimeoutError is an OSError, a name that is none a UnicodeError
        return None


async def _connected(address: str, port: int, timeout_s: float) -> float | None:
    began = monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return None
    took = monotonic() - began
    writer.close()
    return took
