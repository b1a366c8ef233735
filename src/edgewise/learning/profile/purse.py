"""Money that calls under way may cost is set apart before they are made, so that a budget is not exceeded."""

from __future__ import annotations

import asyncio


class Purse:
    """What was spent and what may be, in USD; without a `budget` there is no end to it.

    A call is promised the most that it can cost, and settled with what it did. Belongs to one event loop.
    """

    def __init__(self, budget: float | None, spent: float = 0.0) -> None:
        self.budget, self.spent, self.promised = budget, spent, 0.0
        self._settled = asyncio.Event()

    async def promise(self, most: float) -> bool:
        """Set `most` apart. False where it is not there, and no call under way can leave any over."""
        while self.budget is not None and self.spent + self.promised + most > self.budget:
            if self.promised <= 0.0 or not most:
                return not most
            self._settled.clear()
            await self._settled.wait()
        self.promised += most
        return True

    def settle(self, most: float, cost: float | None) -> None:
        """A call for which `most` was set apart has ended; a cost that nobody knows counts as all of that."""
        self.promised = max(0.0, self.promised - most)
        self.spent += most if cost is None else cost
        self._settled.set()
