"""A share of what was served, judged in the background: qualities for trends, calibration and training."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.decisions import Decision, Feedback, Outcome
from edgewise.domain.errors import EdgewiseError
from edgewise.domain.feedback import JUDGE
from edgewise.domain.ids import mint
from edgewise.domain.privacy import promise_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgewise.domain.decisions import Record
    from edgewise.learning.judge.daily import DailyPurse
    from edgewise.learning.judge.panel import Panel

logger = logging.getLogger(__name__)
MOST_OPEN = 10_000  # decisions whose outcome has not come yet
MOST_WAITING = 200  # answers that wait for the judge; what comes then is not judged
REST_S = 600.0  # before a judge that was given up is asked again


class Sampled(Struct, frozen=True):
    """A served answer that is to be judged. The prompt is the conversation's last message."""

    decision_id: str
    prompt: str
    answer: str
    privacy: str | None


class LiveJudge:
    """Draws `share` of the answers that are served, and asks the panel that `make` makes about each.

    Which ones depends on the decision's id alone, and on nothing that its policy drew. Only whole answers
    whose texts are kept are judged; a private one only by judges who may read it. Verdicts are appended to
    the log as feedback of the source `judge:ID`; an answer that nobody could judge gets none, never 0.
    `observe` costs microseconds and never waits; `run` does the asking, one answer at a time.
    """

    def __init__(
        self,
        make: Callable[[], Panel],
        purse: DailyPurse,
        append: Callable[[Feedback], Awaitable[None]],
        *,
        share: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._make, self._purse, self._append = make, purse, append
        self._share, self._clock = share, clock
        self._panel = make()
        self._open: OrderedDict[str, Decision] = OrderedDict()
        self._waiting: deque[Sampled] = deque()
        self._called = asyncio.Event()
        self.judged = self.unjudged = self.passed_over = 0
        self.problem: str | None = None

    def observe(self, record: Record) -> None:
        """A record that was just written; called in the event loop."""
        if isinstance(record, Decision):
            if record.prompt and is_drawn(record.id, self._share):
                self._open[record.id] = record
                if len(self._open) > MOST_OPEN:
                    self._open.popitem(last=False)
        elif isinstance(record, Outcome):
            decision = self._open.pop(record.decision_id, None)
            if decision is not None and record.status == "ok" and (record.response or "").strip():
                self._line_up(decision, record)

    def _line_up(self, decision: Decision, outcome: Outcome) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.passed_over += 1
            return
        answer, prompt = outcome.response or "", decision.prompt or ""
        self._waiting.append(Sampled(decision.id, prompt, answer, promise_for(decision)))
        self._called.set()

    async def run(self) -> None:
        """Judge what is lined up, until cancelled."""
        while True:
            while self._waiting:
                await self._survive(self._waiting.popleft())
            self._called.clear()
            if not self._waiting:
                await self._called.wait()

    async def _survive(self, sampled: Sampled) -> None:
        """Judge, whatever comes of it: one answer is no reason to judge no others."""
        try:
            await self._judge(sampled)
        except Exception as error:
            self.unjudged += 1
            why = str(error) if isinstance(error, EdgewiseError) else "a mistake of ours."
            if self.problem is None:
                logger.exception("Served answers are not judged.")
            self.problem = f"Served answers are not judged: {why}"

    async def _judge(self, sampled: Sampled) -> None:
        if self._purse.turned():
            self._panel.stopped = None
        if self._panel.stopped is not None:  # today's money is spent; tomorrow there is more
            self.passed_over += 1
            return
        judgement = await self._panel.quality(sampled.prompt, sampled.answer, privacy=sampled.privacy)
        if judgement.quality is not None:
            self.judged += 1
            self.problem = None
            said = Feedback(
                id=mint(),
                decision_id=sampled.decision_id,
                at=self._clock(),
                quality=judgement.quality,
                comment=judgement.rationale or None,
                source=JUDGE + judgement.judge,
            )
            with suppress(EdgewiseError):  # the log says itself that it cannot be written
                await self._append(said)
            return
        self.unjudged += 1
        if all(judge.gone is not None for judge in self._panel.judges):
            self.problem = f"Served answers are not judged: {judgement.reason}"
            logger.warning("%s", self.problem)
            await asyncio.sleep(REST_S)
            self._panel = self._make()


def is_drawn(decision_id: str, share: float) -> bool:
    """Whether a decision is among the judged `share`: the same for the same id, and even over all ids."""
    digest = blake2b(decision_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"judge").digest()
    return int.from_bytes(digest) < share * 2**64
