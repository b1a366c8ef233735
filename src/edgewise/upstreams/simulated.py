"""A labelled fake: a seeded network in front of a real upstream, so that a cloud can be tried without one."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from edgewise.domain.errors import UpstreamUnreachable
from edgewise.upstreams.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request

SPOILED = "(simulated) I am not sure about that."


class SimulatedNetwork:
    """Delay, lose and spoil what `inner` answers; the n-th call always fares the same.

    `delay_s` and `jitter_s` are mean and standard deviation of a normal round trip (never below 0),
    `loss` the share of calls that fail, `quality` the share of answers that are left as they are.
    """

    def __init__(  # noqa: PLR0913 - one argument a property of the network
        self,
        inner: Upstream,
        *,
        delay_s: float = 0.0,
        jitter_s: float = 0.0,
        loss: float = 0.0,
        quality: float = 1.0,
        seed: int = 0,
    ) -> None:
        self._inner = inner
        self._delay_s, self._jitter_s = delay_s, jitter_s
        self._loss, self._quality, self._seed = loss, quality, seed
        self._calls = 0

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """Wait for the simulated round trip, then ask the real upstream."""
        dice = Random(f"{self._seed}:{self._calls}")  # noqa: S311 - a simulation, not a secret
        self._calls += 1
        await asyncio.sleep(max(0.0, dice.gauss(self._delay_s, self._jitter_s)))
        if dice.random() < self._loss:
            raise UpstreamUnreachable("The simulated network lost the call.")
        answer = await self._inner.ask(request)
        if dice.random() < self._quality:
            return answer
        if not isinstance(answer, bytes):
            async for _ in answer:  # the real answer's time passes all the same
                pass
        return await Scripted([SPOILED], model="simulated").ask(request)

    async def aclose(self) -> None:
        """Close the upstream behind."""
        await self._inner.aclose()
