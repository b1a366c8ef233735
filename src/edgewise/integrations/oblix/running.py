"""A router in the background of somebody else's program."""

from __future__ import annotations

import asyncio
import atexit
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.library import Router


class Running:
    """A router on a thread of its own: it goes on looking while the program waits for a key to be pressed.

    Programs that never call `shutdown` end it by ending their event loop, whose last tasks are cancelled;
    one that does not even do that ends it on its way out. `users` are the requests under way.
    """

    def __init__(self, router: Router) -> None:
        self.router, self.users, self.is_open = router, 0, False
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start it."""
        await asyncio.to_thread(self.router.__enter__)
        self.is_open = True
        self._keeper = asyncio.create_task(self._keep())
        atexit.register(self._at_exit)

    async def close(self) -> None:
        """End it; a second call does nothing."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self.is_open:
            self.is_open = False
            atexit.unregister(self._at_exit)
            await asyncio.to_thread(self.router.__exit__)

    async def _keep(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self._keeper = None
            await self.close()

    def _at_exit(self) -> None:
        with suppress(RuntimeError):  # threads cannot be begun any more; every record is on disk already
            self.router.__exit__()
