"""The router behind somebody else's objects: theirs, or one that is opened when it is first asked."""

from __future__ import annotations

import asyncio
import atexit
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from edgewise.domain.errors import EdgewiseError
from edgewise.library import Router

if TYPE_CHECKING:
    from edgewise.library import Source


class Opening:
    """A router that is there when it is asked, from whichever event loop.

    One that is open already is used as it is, and left open. Any other is opened on a thread of its own the
    first time, and ends with `leave`, or with the program: nothing has to be shut down.
    """

    def __init__(self, source: Router | Source | None = None) -> None:
        self._router = source if isinstance(source, Router) else Router(source)
        self._lock = Lock()
        self._is_ours = False
        self._users = 0

    async def router(self) -> Router:
        """The router, open. Raises SettingsError and its kin where it cannot be opened."""
        if not _is_open(self._router):
            await asyncio.to_thread(self._open)
        return self._router

    def now(self) -> Router:
        """The same for synchronous code. Raises SettingsError and its kin where it cannot be opened."""
        self._open()
        return self._router

    async def enter(self) -> None:
        """Open it for somebody who will say when he is done."""
        self._users += 1
        await self.router()

    async def leave(self) -> None:
        """Close what was opened here, once the last of those who entered leaves."""
        self._users -= 1
        if self._users == 0:
            await asyncio.to_thread(self._close)

    def _open(self) -> None:
        with self._lock:
            if not _is_open(self._router):
                self._router.__enter__()
                self._is_ours = True
                atexit.register(self._at_exit)

    def _close(self) -> None:
        with self._lock:
            if self._is_ours:
                self._is_ours = False
                atexit.unregister(self._at_exit)
                self._router.__exit__()

    def _at_exit(self) -> None:
        with suppress(RuntimeError):  # threads cannot be begun any more; every record is on disk already
            self._router.__exit__()


def _is_open(router: Router) -> bool:
    try:
        _ = router.opened
    except EdgewiseError:
        return False
    return True
