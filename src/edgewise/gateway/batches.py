"""Many texts at once: each goes its own way through the router, and what they came to is summed up."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from edgewise.domain.errors import EdgewiseError, UpstreamTimeout
from edgewise.execution.flight import MISTAKE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgewise.domain.requests import Request
    from edgewise.execution import Answer
    from edgewise.router import Router

logger = logging.getLogger(__name__)
AT_ONCE = 128  # so many texts of one batch are under way: what comes together is run and recorded together


async def together(
    router: Router, requests: Sequence[Request], admit: Callable[[], None] | None = None
) -> list[Answer | EdgewiseError]:
    """What became of each request, in their order. One that fails leaves the others alone.

    `admit` is called before each, and raises where it may not be made any more: it leaves no record then.
    Nor does one that is not begun by the deadline, which is the batch's, not each text's own.
    """
    found: list[Answer | EdgewiseError | None] = [None] * len(requests)
    waiting, is_told, began = iter(enumerate(requests)), False, monotonic()

    async def work() -> None:
        nonlocal is_told
        for place, request in waiting:
            try:
                if admit is not None:
                    admit()
                found[place] = await router.route(_in_time(request, monotonic() - began))
            except EdgewiseError as error:
                found[place] = error
            except Exception:
                if not is_told:  # in a batch of ten thousand the next ones are the same
                    logger.exception("A text of a batch failed in a way that we did not foresee.")
                is_told = True
                found[place] = EdgewiseError(MISTAKE)

    if len(requests) == 1:
        await work()
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(requests))):
                group.create_task(work())
    return [one for one in found if one is not None]


def _in_time(request: Request, waited_s: float) -> Request:
    """The request with what its neighbours left of its time; `UpstreamTimeout` where that is nothing."""
    deadline_s = request.wishes.deadline_s
    if deadline_s is None:
        return request
    if waited_s >= deadline_s:
        raise UpstreamTimeout("There was no time left for this text; allow more, or send fewer at a time.")
    return replace(request, wishes=replace(request.wishes, deadline_s=deadline_s - waited_s))


class Sums:
    """A batch in numbers: how many texts went where and why, how many failed, and what they cost in USD."""

    def __init__(self, found: Iterable[Answer | EdgewiseError] = ()) -> None:
        self.texts = self.failed = 0
        self.cost_usd, self.is_priced = 0.0, True
        self.places: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        for one in found:
            self.add(one)

    def add(self, one: Answer | EdgewiseError) -> None:
        """Count what became of one text."""
        self.texts += 1
        if isinstance(one, EdgewiseError):
            self.failed += 1
            return
        self.places[one.decision.location] += 1
        self.reasons[one.decision.reason] += 1
        if one.outcome is not None:
            self.cost_usd += one.outcome.cost_usd or 0.0
            self.is_priced &= one.outcome.cost_state != "unpriced"

    def told(self) -> dict[str, Any]:
        """As the answer to a batch holds them. `cost_usd` is None where a call had no price."""
        return {
            "texts": self.texts,
            "edge": self.places["edge"],
            "cloud": self.places["cloud"],
            "failed": self.failed,
            "reasons": dict(self.reasons.most_common()),
            "cost_usd": self.cost_usd if self.is_priced else None,
        }
