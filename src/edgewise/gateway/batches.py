"""Many texts at once: each goes its own way through the router, and what they came to is summed up."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import EdgewiseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.requests import Request
    from edgewise.execution import Answer
    from edgewise.router import Router

AT_ONCE = 128  # so many texts of one batch are under way: what comes together is run and recorded together


async def together(router: Router, requests: Sequence[Request]) -> list[Answer | EdgewiseError]:
    """What became of each request, in their order. One that fails leaves the others alone."""
    found: list[Answer | EdgewiseError | None] = [None] * len(requests)
    waiting = iter(enumerate(requests))

    async def work() -> None:
        for place, request in waiting:
            try:
                found[place] = await router.route(request)
            except EdgewiseError as error:
                found[place] = error

    if len(requests) == 1:
        await work()
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(requests))):
                group.create_task(work())
    return [one for one in found if one is not None]


def summary(found: Sequence[Answer | EdgewiseError]) -> dict[str, Any]:
    """A batch in numbers: how many texts went where and why, how many failed, and what they cost in USD.

    `cost_usd` is None where a call has no price.
    """
    answers = [one for one in found if not isinstance(one, EdgewiseError)]
    outcomes = [one.outcome for one in answers if one.outcome is not None]
    costs = [outcome.cost_usd for outcome in outcomes]
    unpriced = any(outcome.cost_state == "unpriced" for outcome in outcomes)
    return {
        "texts": len(found),
        "edge": sum(one.decision.location == "edge" for one in answers),
        "cloud": sum(one.decision.location == "cloud" for one in answers),
        "failed": len(found) - len(answers),
        "reasons": dict(Counter(one.decision.reason for one in answers).most_common()),
        "cost_usd": None if unpriced else sum(cost for cost in costs if cost is not None),
    }
