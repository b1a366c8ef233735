"""The end in good order: nothing new is begun, and what is under way may finish."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

ENDED = "Edgewise was ended before the answer was whole."
LAST_WORDS_S = 2.0  # for the records and the error events of what was cut off


class Drain:
    """Off until `run`; from then on `is_on`, and the gateway answers new requests with 503.

    `patience_s` is how long requests under way may take to finish; `at_first` ends what would never end.
    """

    def __init__(self, patience_s: float, at_first: Callable[[], None] | None = None) -> None:
        self.patience_s, self._at_first = patience_s, at_first
        self.is_on = False

    async def run(self, tasks: Callable[[], Collection[asyncio.Task[None]]]) -> None:
        """Wait until no task is left, or `patience_s` have passed; then cancel those that are left.

        `tasks` gives the requests under way. A cancelled one's `CancelledError` carries the sentence `ENDED`.
        """
        self.is_on = True
        if self._at_first is not None:
            self._at_first()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience_s
        while (left := list(tasks())) and (rest := deadline - loop.time()) > 0:
            await asyncio.wait(left, timeout=rest)
        for task in left:
            task.cancel(ENDED)
        if left:
            await asyncio.wait(left, timeout=LAST_WORDS_S)
