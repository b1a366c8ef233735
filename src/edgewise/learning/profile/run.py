"""Asking: every endpoint gets its calls in the same order, a few at a time, each of them once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING

from edgewise.domain.privacy import permits, privacy_of
from edgewise.learning.profile.asking import Busy, most_input_tokens, request_for
from edgewise.learning.profile.rows import Call, lost_row, row_of
from edgewise.learning.profile.tally import Pace, Tally
from edgewise.learning.prompts.files import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.requests import Request
    from edgewise.learning.profile.asking import Answered, Measuring
    from edgewise.learning.profile.journal import Journal
    from edgewise.learning.profile.order import Order
    from edgewise.learning.profile.purse import Purse

SYNC_S = 1.0
TRIES = 8  # of a call that is turned away before it has begun
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
WARM_UP = "Warm-up {}: answer with the word ready."


@dataclass(frozen=True, slots=True)
class Lane:
    """The candidates behind one endpoint, and how many calls it gets at a time."""

    name: str
    candidates: tuple[Candidate, ...]
    width: int


def lanes_for(candidates: Sequence[Candidate], concurrency: int, slots: Mapping[str, int]) -> list[Lane]:
    """One lane an endpoint, as wide as `concurrency` and the candidates' known `slots` allow."""
    found: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(candidate.endpoint or candidate.model or candidate.id, []).append(candidate)
    return [
        Lane(name, tuple(group), min([concurrency, *(slots[c.id] for c in group if c.id in slots)]))
        for name, group in found.items()
    ]


@dataclass(slots=True)
class Profiler:
    """Carries a profile out. `halt` lets the calls under way end, and makes no further ones.

    `changed` is called whenever a call has ended, `say` gets a sentence about what should be known at once.
    """

    order: Order
    lanes: Sequence[Lane]
    measuring: Measuring
    journal: Journal
    purse: Purse
    changed: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    _halted: asyncio.Event = field(default_factory=asyncio.Event)
    _ready_at: dict[str, float] = field(default_factory=dict[str, float])
    _broke: set[str] = field(default_factory=set[str])

    @property
    def halted(self) -> bool:
        """Whether no further calls are made."""
        return self._halted.is_set()

    def halt(self) -> None:
        """Make no further calls."""
        self._halted.set()

    def survey(self) -> None:
        """Count the calls that are to be made, and those that were."""
        for lane in self.lanes:
            pace = self.tally.paces[lane.name] = Pace(0)
            for call in self._calls(lane):
                self.tally.total += 1
                if call.name in self.journal.done:
                    self.tally.ended += 1
                else:
                    pace.left += 1
        self.tally.before = self.tally.ended

    async def run(self) -> None:
        """Make every call that was not made yet. Raises `StoreError` where the rows cannot be written."""
        syncing = asyncio.create_task(self._sync())
        try:
            async with asyncio.TaskGroup() as group:
                for lane in self.lanes:
                    group.create_task(self._drive(lane))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            syncing.cancel()
            with suppress(asyncio.CancelledError):
                await syncing
            await asyncio.to_thread(self.journal.sync)

    def _calls(self, lane: Lane) -> Iterator[Call]:
        """The lane's calls in order: the whole file once, then once more for each repeat."""
        for repeat in range(self.measuring.settings.repeats):
            for key, prompt in self.order:
                privacy = privacy_of(prompt.privacy)
                first = int(key[:8], 16)
                count = len(lane.candidates)
                for place in range(count):  # who goes first differs from prompt to prompt
                    candidate = lane.candidates[(first + place) % count]
                    if permits(privacy, candidate):
                        yield Call(key, prompt, candidate, repeat)

    async def _drive(self, lane: Lane) -> None:
        pace = self.tally.paces[lane.name]
        if not pace.left:
            return
        for candidate in lane.candidates:
            await self._warm(candidate)
        pace.began = self.tally.clock()
        calls = self._calls(lane)
        async with asyncio.TaskGroup() as group:
            for _ in range(lane.width):
                group.create_task(self._work(lane, calls))

    async def _work(self, lane: Lane, calls: Iterator[Call]) -> None:
        for skipped, call in enumerate(calls):
            if self.halted:
                return
            if call.name in self.journal.done:
                if skipped % 1000 == 0:
                    await asyncio.sleep(0)
                continue
            if (most := self.journal.lost.get(call.name)) is not None:
                self.journal.end(lost_row(call, most, time()))
                self.tally.lost += 1
            elif not await self._asked(call):
                continue
            self._ended(lane)

    async def _asked(self, call: Call) -> bool:
        """Make one call, if it is affordable; whether it was made."""
        candidate = call.candidate
        request = request_for(call.prompt, candidate, self.measuring.settings)
        most = most_usd(request, candidate)
        if candidate.id in self._broke or not await self.purse.promise(most):
            self._broke.add(candidate.id)
            self.tally.unaffordable += 1
            return False
        cost: float | None = 0.0
        try:
            if self.halted:
                return False
            self.journal.ask(call, most)
            cost = None
            answered = await self._answer(request, candidate)
            if answered is None:
                cost = 0.0
                self.journal.withdraw(call)
                return False
            cost = answered.attempt.cost_usd
            self.journal.end(row_of(call, answered.attempt, answered.text, time()))
            self.tally.failed += answered.attempt.status != "ok"
        finally:
            self.purse.settle(most, cost)
        return True

    async def _answer(self, request: Request, candidate: Candidate) -> Answered | None:
        """What came of it. Where it is turned away nothing was done yet, and it waits and asks again.

        None where it still waited when the profile was halted.
        """
        wait_s, loop = FIRST_WAIT_S, asyncio.get_running_loop()
        for tried in range(1, TRIES + 1):
            await self._pause(self._ready_at.get(candidate.id, 0.0) - loop.time())
            if self.halted and tried > 1:
                return None
            try:
                return await self.measuring.answer(request, candidate)
            except Busy as busy:
                if tried == TRIES:
                    return busy.answered
                pause = min(max(busy.after_s, wait_s), LONGEST_WAIT_S)
                self._ready_at[candidate.id] = loop.time() + pause
                wait_s *= 2
        raise AssertionError  # the last try returned

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the profile is halted meanwhile."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._halted.wait(), seconds)

    async def _warm(self, candidate: Candidate) -> None:
        """Calls that are not measured: they load a model, or open a connection. Whatever comes of them."""
        for number in range(self.measuring.settings.warm_up):
            said = WARM_UP.format(f"{number + 1} at {time():.0f}")  # no two are the same prompt
            request = request_for(Prompt(prompt=said), candidate, self.measuring.settings, most=1)
            most = most_usd(request, candidate)
            if self.halted or not await self.purse.promise(most):
                return
            self.journal.warm(candidate.id, most)
            try:
                with suppress(Busy):
                    answered = await self.measuring.answer(request, candidate)
                    if (error := answered.attempt.error) is not None:
                        self.say(f"{candidate.id} did not answer the warm-up call: {error}")
            finally:
                self.purse.settle(most, most)

    def _ended(self, lane: Lane) -> None:
        self.tally.ended += 1
        pace = self.tally.paces[lane.name]
        pace.ended += 1
        pace.left -= 1
        self.changed()

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_S)
            await asyncio.to_thread(self.journal.sync)


def most_usd(request: Request, candidate: Candidate) -> float:
    """The most that this call can cost, as long as the endpoint keeps to `max_tokens`; 0 without a price."""
    if candidate.price is None:
        return 0.0
    return candidate.price.cost(most_input_tokens(request), request.needs.output_tokens)
