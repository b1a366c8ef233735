"""One measured call: the prompt as every candidate gets it, and what came of it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from edgewise.domain.decisions import Attempt, Decision
from edgewise.domain.errors import (
    EdgewiseError,
    Overloaded,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    WouldLeave,
)
from edgewise.domain.ids import mint
from edgewise.domain.privacy import privacy_of
from edgewise.domain.requests import Needs, Request, Turn, Wishes
from edgewise.domain.tokens import CHARACTERS_PER_TOKEN, TOKENS_PER_MESSAGE, tokens_in
from edgewise.execution.flight import MISTAKE, Call, Flight
from edgewise.features.conversations import turns_in

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.execution.asking import Asking, Landed, Stream
    from edgewise.learning.prompts.files import Prompt
    from edgewise.settings.looping import ProfileSettings

logger = logging.getLogger(__name__)

TOO_MANY = 429
NO_STREAM = frozenset({400, 404, 405, 415, 422, 501})
SYSTEM_ROLES = frozenset({"system", "developer"})
MOST_TOKENS_PER_MESSAGE = 32  # what a chat template may put around one


class Answered(NamedTuple):
    """What came of a call: the attempt as the log knows it, and the words."""

    attempt: Attempt
    text: str | None = None


class Busy(Exception):
    """The candidate did not begin with the call, and says when it might."""

    def __init__(self, after_s: float, answered: Answered) -> None:
        self.after_s, self.answered = after_s, answered
        super().__init__()


def request_for(
    prompt: Prompt, candidate: Candidate, settings: ProfileSettings, *, most: int | None = None
) -> Request:
    """What is sent: the prompt behind the system message, unless it brings one; `most` tokens at most."""
    messages = prompt.asked
    if settings.system and not any(message.get("role") in SYSTEM_ROLES for message in messages):
        messages = [{"role": "system", "content": settings.system}, *messages]
    body = msgspec.json.encode(
        {
            "model": candidate.id,
            "messages": messages,
            "temperature": settings.temperature,
            "max_tokens": most or settings.max_tokens,
            **({"stream": True} if settings.stream else {}),
        }
    )
    turns = turns_in(msgspec.json.encode(messages).decode()) or (Turn("user", prompt.prompt),)
    text = "\n".join(turn.text for turn in turns)
    last = next((turn.text for turn in reversed(turns) if turn.role == "user"), prompt.prompt)
    return Request(
        id=mint(),
        prompt=last,
        text=text,
        body=body,
        wishes=Wishes(candidate.id, privacy_of(prompt.privacy), fallback=False),
        needs=Needs(
            input_tokens=int(tokens_in(text) + TOKENS_PER_MESSAGE * len(messages)),
            output_tokens=most or settings.max_tokens,
        ),
        stream=settings.stream,
        turns=turns if len(turns) > 1 else (),
    )


def most_input_tokens(request: Request) -> int:
    """More tokens than the request's text can have: none is shorter than a byte."""
    messages = max(1, len(request.turns))
    return len(request.text.encode("utf-8", "surrogatepass")) + MOST_TOKENS_PER_MESSAGE * messages


@dataclass(slots=True)
class Measuring:
    """Asks candidates through `asking` and measures; `plain` are those that refuse to stream."""

    asking: Asking
    settings: ProfileSettings
    plain: set[str] = field(default_factory=set[str])

    async def answer(self, request: Request, candidate: Candidate) -> Answered:
        """What came of asking, a failure too. Raises `Busy` where it was turned away for now."""
        if candidate.id in self.plain and request.stream:
            request = _plain(request)
        flight = Flight(_decision(request, candidate), request, perf_counter(), self._ends_at())
        call = Call(flight, candidate)
        try:
            landed = await self.asking.ask(call)
        except UpstreamError as error:
            if self._refuses_streams(error, request):
                self.plain.add(candidate.id)
                return await self.answer(request, candidate)
            return _failed(call, error)
        except Exception:  # one call that we did not foresee is no reason to end the others
            logger.exception("A measured call failed in a way that we did not foresee.")
            return Answered(call.broke(MISTAKE, began=False))
        if landed.stream is None:
            return _whole(landed)
        return await self._followed(call, landed.stream)

    def _ends_at(self) -> float:
        return asyncio.get_running_loop().time() + self.asking.limits.total_s

    def _refuses_streams(self, error: UpstreamError, request: Request) -> bool:
        return (
            request.stream
            and isinstance(error, UpstreamRefused)
            and error.status in NO_STREAM
            and b"stream" in error.body.lower()
        )

    async def _followed(self, call: Call, stream: Stream) -> Answered:
        """The rest of a stream, and how it ended."""
        meter, wait, loop = stream.meter, stream.wait, asyncio.get_running_loop()
        failure: str | None = None
        by = min(loop.time() + stream.idle_s, stream.ends_at)
        try:
            while not (meter.done or meter.error):
                wait.begin(by)
                meter.feed(await stream.pieces.__anext__())
                wait.over()
                by = min(loop.time() + stream.idle_s, stream.ends_at)
        except StopAsyncIteration:
            pass
        except asyncio.CancelledError:
            if not wait.is_late():
                raise
            failure = stream.silence(by)
        except EdgewiseError as error:
            failure = str(error)
        finally:
            await stream.aclose()
        problem = meter.error or failure
        guess = max(1, int(len(meter.text()) / CHARACTERS_PER_TOKEN))
        if (problem is None or meter.done) and meter.finish():
            return Answered(call.succeeded(meter.usage, guess), meter.text())
        problem = problem or f"{call.candidate.id} ended its stream without [DONE]."
        return Answered(
            call.broke(problem, began=True, usage=meter.usage, guessed_tokens=guess), meter.text()
        )


def _whole(landed: Landed) -> Answered:
    reading = landed.reading
    text = reading.text if reading is not None else ""
    guess = max(1, int(len(text) / CHARACTERS_PER_TOKEN))
    return Answered(landed.call.succeeded(reading.usage if reading is not None else None, guess), text)


def _failed(call: Call, error: UpstreamError) -> Answered:
    """A failure as an outcome. A call that ran out of time was read, and is on the bill, by our estimate."""
    paid = 0 if isinstance(error, UpstreamTimeout) else None
    answered = Answered(call.broke(error, began=False, guessed_tokens=paid))
    if isinstance(error, Overloaded):
        raise Busy(error.retry_after_s, answered) from error
    if isinstance(error, UpstreamRefused) and error.status == TOO_MANY:
        raise Busy(_seconds(error.retry_after), answered) from error
    if isinstance(error, WouldLeave):
        attempt = msgspec.structs.replace(answered.attempt, status="cancelled")
        return Answered(attempt)
    return answered


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0.0))
    except ValueError:  # a date: rare, and then we wait as long as without one
        return 0.0


def _plain(request: Request) -> Request:
    body = msgspec.json.decode(request.body)
    body.pop("stream", None)
    return msgspec.structs.replace(request, body=msgspec.json.encode(body), stream=False)


def _decision(request: Request, candidate: Candidate) -> Decision:
    """What stands for a decision where nobody decided: this candidate, and no other."""
    return Decision(
        id=request.id,
        at=0.0,
        chosen=candidate.id,
        location=candidate.location,
        policy="profile",
        reason="pinned",
        propensity=1.0,
        odds={candidate.id: 1.0},
        shortlist=(candidate.id,),
        objections=(),
    )
