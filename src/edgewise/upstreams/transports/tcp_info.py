"""What Linux knows about a TCP connection of ours, without asking anybody (tcp(7), TCP_INFO)."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from struct import unpack_from

RTT_AT = 68  # bytes into struct tcp_info: the smoothed round trip in microseconds
LENGTH = 72


def round_trip(connection: socket.socket) -> float | None:
    """Seconds of a smoothed round trip; None where the system has no answer, or none yet."""
    if not sys.platform.startswith("linux"):
        return None
    found = b""
    with suppress(OSError):
        found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LENGTH)
    if len(found) < LENGTH:
        return None
    (micros,) = unpack_from("=I", found, RTT_AT)
    return micros / 1e6 or None
