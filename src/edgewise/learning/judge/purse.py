"""Money for one piece of work: set aside before a call, settled after it, never more than there was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edgewise.domain.errors import EdgewiseError

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate

SLACK = 1e-12


class BudgetSpent(EdgewiseError):
    """The next call could cost more than what is left."""


class Purse:
    """`usd` is what may be spent; None is no limit. What is spent and set aside never exceeds it together.

    `before` was spent of it by earlier runs, and counts; `spent` is this run's.
    """

    def __init__(self, usd: float | None = None, before: float = 0.0) -> None:
        self.usd, self.before = usd, before
        self.spent = 0.0
        self._aside = 0.0
        self._waiting: list[asyncio.Future[None]] = []
        self.unpriced = 0

    def set_aside(self, candidate: Candidate, input_tokens: int, output_tokens: int) -> float:
        """What a call may cost at most, now set aside; `BudgetSpent` where that is not there."""
        price = candidate.price
        if price is None:
            if self.usd is not None:
                raise BudgetSpent(
                    f"{candidate.id} has no price, so that nothing can be asked of it under a budget."
                )
            return 0.0
        most = price.cost(input_tokens, output_tokens)
        if self.usd is not None and self.before + self.spent + self._aside + most > self.usd + SLACK:
            raise BudgetSpent(
                f"The budget of ${self.usd:g} is spent: ${self.before + self.spent:.4g} so far, "
                f"and the next call may cost ${most:.2g}."
            )
        self._aside += most
        return most

    def settle(self, aside: float, cost_usd: float | None) -> None:
        """The call has ended: it cost this much, or nobody knows (`None`: it has no price)."""
        self._aside = max(0.0, self._aside - aside)
        if cost_usd is None:
            self.unpriced += 1
        else:
            self.spent += cost_usd
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def settled(self) -> bool:
        """Wait until a call under way has been settled, which may leave room; False where there is none."""
        if self._aside <= SLACK:
            return False
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting
        return True
