"""One judge: whom to ask, how to ask so that it understands, and what to do when it does not."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.errors import (
    Overloaded,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    WouldLeave,
)
from edgewise.domain.ids import mint
from edgewise.domain.privacy import permits
from edgewise.domain.requests import Needs, Request, Turn, Wishes
from edgewise.domain.tokens import TOKENS_PER_MESSAGE
from edgewise.execution.retries import backoff_s, may_ask_again, retry_after_s, was_asked
from edgewise.learning.judge.framing import framed
from edgewise.learning.judge.kept import Bought
from edgewise.learning.judge.rubrics import BOUND, RATIONALE
from edgewise.learning.judge.verdicts import Unreadable, read_verdict
from edgewise.upstreams.reading import read_plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Upstream
    from edgewise.learning.judge.purse import Purse
    from edgewise.learning.judge.rubrics import Rubric
    from edgewise.upstreams.reading import Reading

MOST_TOKENS = 400  # of a verdict: a sentence and a number
LONGEST_WAIT_S = 30.0  # for a judge that asks to be left alone for a while
GIVE_UP_AFTER = 8  # questions in a row without any verdict
FOR_GOOD = frozenset({401, 403, 404})  # our key or the model's name: asking again changes nothing
TOO_LONG = (b"context", b"too long", b"too large")  # what a text that does not fit is refused with
SHAPE = frozenset({400, 415, 422, 501})  # what endpoints say to a key of the body that they do not know


class Unjudged(Exception):
    """There is no verdict; the message says why, in one sentence. `blames_judge` says whose fault it was."""

    def __init__(self, why: str, *, blames_judge: bool = True) -> None:
        self.blames_judge = blames_judge
        super().__init__(why)


class Habits(Struct):
    """What an endpoint turned out to understand; the first refusals teach it."""

    schema: bool = True
    bounds: bool = True
    temperature: bool = True
    limit: str = "max_tokens"


class Judge:
    """Asks one candidate for verdicts: temperature 0, a JSON schema where it takes one.

    A reply that is no verdict (garbage, a refusal, a score out of range), a timeout or a failing endpoint is
    tried again up to `retries` times; then it is `Unjudged`. After some questions in a row without a verdict
    it is given up (`gone` says why), so that a dead endpoint costs minutes and not a day.
    """

    def __init__(
        self,
        candidate: Candidate,
        upstream: Upstream,
        *,
        retries: int = 2,
        timeout_s: float = 120.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.candidate, self._upstream = candidate, upstream
        self._retries, self._timeout_s, self._pause = retries, timeout_s, pause
        self.habits = Habits(schema=candidate.capabilities.json_schema)
        self.gone: str | None = None
        self.calls = 0
        self._in_vain = 0
        self._dice = Random(0)  # noqa: S311 - when to try again is no secret

    @property
    def identity(self) -> tuple[str, str]:
        """What its verdicts are kept under: the model, and where it answers."""
        return self.candidate.model or self.candidate.id, self.candidate.endpoint

    def may_read(self, privacy: str | None) -> bool:
        """Whether a text of this privacy may be shown to it."""
        return permits(privacy, self.candidate)

    async def ask(
        self, rubric: Rubric, texts: Mapping[str, str], purse: Purse, privacy: str | None = None
    ) -> Bought:
        """A verdict on these texts (by title).

        Raises `Unjudged`, or `BudgetSpent` before a call that the purse cannot bear.
        """
        if self.gone is not None:
            raise Unjudged(self.gone)
        if not self.may_read(privacy):
            why_not = f"The prompt is private ({privacy}), and {self.candidate.id} may not read it."
            raise Unjudged(why_not, blames_judge=False)
        try:
            bought = await self._tried(rubric, texts, purse, privacy)
        except Unjudged as why:
            self._in_vain += why.blames_judge
            if self._in_vain >= GIVE_UP_AFTER and self.gone is None:
                self.gone = f"{self.candidate.id} was given up after {self._in_vain} failures in a row: {why}"
            raise
        self._in_vain = 0
        return bought

    async def _tried(
        self, rubric: Rubric, texts: Mapping[str, str], purse: Purse, privacy: str | None
    ) -> Bought:
        tries, reminder, habits = 0, "", replace(self.habits)
        costs: list[float | None] = []
        while True:
            try:
                reading = await self._call(rubric, texts, reminder, purse, privacy, costs)
                verdict = read_verdict(reading.text, rubric)
            except Unreadable as wrong:
                why = reminder = str(wrong)
            except UpstreamError as error:
                why = str(error)
                if self._learned_from(error):
                    continue
                if isinstance(error, UpstreamRefused) and error.status in SHAPE:
                    self.habits = habits  # it was not how we asked, but what
                await self._wait_or_give_up(error, tries, last=tries >= self._retries)
            else:
                usage = reading.usage
                return Bought(
                    verdict,
                    _sum(costs),
                    usage.prompt_tokens if usage else None,
                    usage.completion_tokens if usage else None,
                )
            tries += 1
            if tries > self._retries:
                raise Unjudged(f"{why} (asked {tries} times)" if tries > 1 else why)

    async def _call(  # noqa: PLR0913, PLR0917 - what one call needs and what it adds to
        self,
        rubric: Rubric,
        texts: Mapping[str, str],
        reminder: str,
        purse: Purse,
        privacy: str | None,
        costs: list[float | None],
    ) -> Reading:
        """One call, paid for: what an endpoint does not report is taken at its most."""
        request, body_tokens = self._request(rubric, texts, reminder, privacy)
        price = self.candidate.price
        aside = purse.set_aside(self.candidate, body_tokens, MOST_TOKENS)
        cost: float | None = None if price is None else aside
        self.calls += 1
        try:
            reading = await self._answer(request)
            if price is not None and reading.usage is not None:
                cost = price.cost(reading.usage.prompt_tokens, reading.usage.completion_tokens)
        except UpstreamError as error:
            if isinstance(error, UpstreamRefused) or not was_asked(error):
                cost = None if price is None else 0.0
            raise
        finally:
            purse.settle(aside, cost)
            costs.append(cost)
        return reading

    async def _answer(self, request: Request) -> Reading:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._upstream.ask(request)
                body = answer if isinstance(answer, bytes) else await _gathered(answer)
        except TimeoutError:
            raise UpstreamTimeout(
                f"{self.candidate.id} gave no verdict within {self._timeout_s:g} s."
            ) from None
        reading = read_plain(body)
        if reading.error is not None:
            raise Unreadable("garbage", reading.error)
        return reading

    def _request(
        self, rubric: Rubric, texts: Mapping[str, str], reminder: str, privacy: str | None
    ) -> tuple[Request, int]:
        """The request, and the most tokens that its text can be: a byte is never more than one."""
        messages = framed(rubric, texts, reminder)
        body: dict[str, Any] = {"model": "", "messages": messages, self.habits.limit: MOST_TOKENS}
        if self.habits.temperature:
            body["temperature"] = 0
        if self.habits.schema:
            schema = rubric.schema
            if not self.habits.bounds:
                del schema["properties"][RATIONALE][BOUND]
            format_ = {"name": rubric.name, "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": format_}
        turns = tuple(Turn(m["role"], m["content"]) for m in messages)
        text = "\n".join(turn.text for turn in turns)
        most = len(text.encode("utf-8", "surrogatepass")) + TOKENS_PER_MESSAGE * 4 * len(turns)
        encoded = msgspec.json.encode(body)
        request = Request(
            id=mint(),
            prompt=turns[-1].text,
            text=text,
            body=encoded,
            wishes=Wishes(self.candidate.id, privacy, priority="low"),
            needs=Needs(input_tokens=most // 4, output_tokens=MOST_TOKENS, json_schema=self.habits.schema),
            turns=turns,
        )
        return request, most

    def _learned_from(self, error: UpstreamError) -> bool:
        """Whether a refusal is about how we asked, so that the same question can be put otherwise at once."""
        if not isinstance(error, UpstreamRefused) or error.status not in SHAPE:
            return False
        said, habits = error.body[:4000].lower(), self.habits
        if any(words in said for words in TOO_LONG):
            return False
        if habits.limit == "max_tokens" and b"max_completion_tokens" in said:
            habits.limit = "max_completion_tokens"
        elif habits.temperature and b"temperature" in said:
            habits.temperature = False
        elif habits.schema and habits.bounds:
            habits.bounds = False
        elif habits.schema:
            habits.schema = False
        else:
            return False
        return True

    async def _wait_or_give_up(self, error: UpstreamError, tries: int, *, last: bool) -> None:
        """Wait before the next try; `Unjudged` at once where no try can help."""
        if isinstance(error, UpstreamRefused) and error.status in FOR_GOOD:
            self.gone = f"{self.candidate.id} refuses every question: {error}"
            raise Unjudged(self.gone) from error
        again = isinstance(error, UpstreamTimeout | Overloaded) or may_ask_again(error)
        if isinstance(error, WouldLeave) or not again:
            raise Unjudged(str(error), blames_judge=False) from error
        if last:
            return
        asked = retry_after_s(error.retry_after) if isinstance(error, UpstreamRefused) else None
        asked = error.retry_after_s if isinstance(error, Overloaded) else asked
        await self._pause(min(LONGEST_WAIT_S, backoff_s(self._dice, tries) if asked is None else asked))


def problem_of(judge: Judge, purse: Purse) -> str | None:
    """Why this judge cannot be asked under this purse, or None."""
    if purse.usd is not None and judge.candidate.price is None:
        return (
            f"{judge.candidate.id} has no price, so that --budget-usd cannot be kept; "
            "give it one in edgewise.toml (price = { input = …, output = … })."
        )
    return None


def _sum(costs: list[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


async def _gathered(pieces: AsyncGenerator[bytes, None]) -> bytes:
    try:
        return b"".join([piece async for piece in pieces])
    finally:
        await pieces.aclose()
