"""uvicorn around the gateway: the loop, the limits, and an orderly end."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from edgewise.domain.errors import SettingsError
from edgewise.gateway.connection import Connection

if TYPE_CHECKING:
    from types import FrameType

    from edgewise.gateway.asgi import Gateway
    from edgewise.gateway.drain import Drain
    from edgewise.settings import ServerSettings

KEEP_ALIVE_S = 75
LAST_S = 3  # for uvicorn's own end, after ours
BACKLOG = 2048
ENOUGH_DESCRIPTORS = 65_536
# A request makes few cycles, and the default looks for them every few requests. But all of them within a
# million objects: what was under way for long is only found by the last of the three.
COLLECT = (20_000, 10, 5)


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
    """Answer requests until SIGINT or SIGTERM; those under way then get `drain_s` to finish.

    New ones get 503 meanwhile. A second signal ends that at once.
    """
    most = min(server.max_connections, _descriptors() // 2)  # each may need another to a candidate

    class Limited(Connection):
        header_timeout_s = server.header_timeout_s
        max_header_bytes = server.max_header_bytes
        body_timeout_s = server.body_timeout_s
        max_connections = most

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
        timeout_graceful_shutdown=LAST_S,
    )
    gc.collect()
    gc.freeze()  # what start-up made lives as long as the process: no collection need look at it again
    gc.set_threshold(*COLLECT)
    await _Server(config, gateway.drain).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which goes on answering while what is under way finishes."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal does."""
        if self._drain.is_on:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._drain.is_on = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._draining = self._loop.create_task(self._end())

    async def _end(self) -> None:
        await self._drain.run(lambda: self.server_state.tasks)
        self.should_exit = True


def _descriptors() -> int:
    """How many files and connections this process may have open, once it has asked for all it may."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return ENOUGH_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ENOUGH_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    with suppress(ValueError, OSError):  # a sandbox may forbid it; then what there is must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
