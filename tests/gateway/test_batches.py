"""Many texts at once: what becomes of one is nothing to the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from edgewise.domain.decisions import Decision
from edgewise.domain.errors import UpstreamTimeout
from edgewise.domain.requests import Request, Wishes
from edgewise.execution import Answer
from edgewise.gateway.batches import AT_ONCE, together
from edgewise.gateway.classify_body import requests_for

if TYPE_CHECKING:
    from edgewise.router import Router

DEADLINE_S = 0.05


class Stumbling:
    """A router in which somebody's own code fails on some texts."""

    async def route(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        if request.prompt == "bad":
            raise ZeroDivisionError(request.prompt)
        return Answer(Decision(id=request.id, at=0.0, chosen="a", location="edge", policy="p",
            reason="pinned", propensity=1.0, odds={"a": 1.0}, shortlist=("a",)))  # fmt: skip


@pytest.mark.parametrize("texts", [["bad"], ["good", "bad", "good", "bad"] * 50])
def test_a_mistake_over_one_text_leaves_the_others_their_labels(
    texts: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    requests = requests_for(texts, "")
    found = asyncio.run(together(cast("Router", Stumbling()), requests))
    for request, one in zip(requests, found, strict=True):
        if request.prompt == "bad":
            assert str(one) == "Edgewise made a mistake; its own log says more."
        else:
            assert isinstance(one, Answer)
            assert one.decision.id == request.id
    assert len(caplog.records) == 1, "and it is told once"


class Slow:
    """A router whose every answer takes as long as the whole batch may."""

    def __init__(self) -> None:
        self.allowed: list[float | None] = []

    async def route(self, request: Request) -> Answer:
        self.allowed.append(request.wishes.deadline_s)
        await asyncio.sleep(DEADLINE_S)
        return await Stumbling().route(request)


def test_a_deadline_is_the_whole_batchs() -> None:
    router, requests = Slow(), requests_for(["good"] * (3 * AT_ONCE), "", Wishes(deadline_s=DEADLINE_S))
    found = asyncio.run(together(cast("Router", router), requests))
    late = [str(one) for one in found if isinstance(one, UpstreamTimeout)]
    assert len(router.allowed) + len(late) == len(requests)
    assert len(late) >= AT_ONCE, "the third round is not begun"
    assert "no time left for this text" in late[0]
    assert all(allowed is not None and 0.0 < allowed <= DEADLINE_S for allowed in router.allowed)
