"""uvicorn around the gateway: the loop, the limits, and an orderly end."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

import uvicorn

from edgewise.domain.errors import SettingsError
from edgewise.gateway.connection import Connection

if TYPE_CHECKING:
    from edgewise.gateway.asgi import Gateway
    from edgewise.settings import ServerSettings

KEEP_ALIVE_S = 75
DRAIN_S = 10
BACKLOG = 2048
COLLECT = (20_000, 20, 50)  # a request makes few cycles; the default looks for them every few requests


def listen(server: ServerSettings) -> socket.socket:
    """A socket that listens at the configured address, or `SettingsError` with what stands in the way."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, server.port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Cannot listen on {server.host}:{server.port} ({error.strerror}); "
            "end what listens there, or choose another with --port."
        ) from error
    listener.listen(BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listener


async def serve(gateway: Gateway, server: ServerSettings, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM; requests under way get `DRAIN_S` seconds to finish."""

    class Limited(Connection):
        header_timeout_s = server.header_timeout_s
        max_header_bytes = server.max_header_bytes
        body_timeout_s = server.body_timeout_s

    config = uvicorn.Config(
        gateway,
        http=Limited,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    gc.collect()
    gc.freeze()  # what start-up made lives as long as the process: no collection need look at it again
    gc.set_threshold(*COLLECT)
    running = uvicorn.Server(config)
    await running.serve(sockets=[listener])
