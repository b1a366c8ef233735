"""One call to one candidate, within its deadlines: a whole answer, or a stream whose first words are in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edgewise.domain.errors import UpstreamError, UpstreamTimeout
from edgewise.execution.cascade import held
from edgewise.execution.deadline import Deadlines
from edgewise.upstreams.labels import read_label
from edgewise.upstreams.reading import DONE, Meter, Reading, read_plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from edgewise.domain.decisions import Attempt
    from edgewise.domain.labels import Said
    from edgewise.domain.protocols import Upstream
    from edgewise.execution.deadline import Wait
    from edgewise.execution.energy import Share
    from edgewise.execution.flight import Call
    from edgewise.settings import ExecutionSettings

MOST_BEFORE_CONTENT = 1_000_000  # bytes of a stream that says nothing
CHARACTERS_PER_TOKEN = 4


@dataclass(slots=True)
class Stream:
    """A stream whose first content has come: what came so far is `head`, the rest is in `pieces`.

    Where it was held back to its end, it `is_whole`.
    """

    name: str
    pieces: AsyncGenerator[bytes, None]
    meter: Meter
    wait: Wait
    idle_s: float
    ends_at: float
    head: bytes = b""
    is_whole: bool = False

    def silence(self, by: float) -> str:
        """What is said of a stream whose deadline `by` has passed."""
        is_over = by == self.ends_at
        said = "took longer than its time" if is_over else f"sent nothing for {self.idle_s:g} s"
        return f"{self.name} {said}."

    async def aclose(self) -> None:
        """Hang up."""
        self.wait.close()
        await self.pieces.aclose()


class Landed(NamedTuple):
    """A call that brought an answer: a `body` and its `reading`, or a `stream`.

    `attempt` is its record, where it was over before it was known whose answer goes out.
    """

    call: Call
    body: bytes = b""
    reading: Reading | None = None
    stream: Stream | None = None
    attempt: Attempt | None = None

    @property
    def text(self) -> str:
        """The words that came so far, as far as they are kept."""
        if self.stream is not None:
            return self.stream.meter.text()
        return self.reading.text if self.reading is not None else ""

    @property
    def said(self) -> Said | None:
        """What a classifier says."""
        return self.reading.said if self.reading is not None else None

    def succeeded(self) -> Attempt:
        """The record of a call whose whole answer is here."""
        if self.attempt is not None:
            return self.attempt
        if self.stream is not None:
            return self.call.succeeded(self.stream.meter.usage, self.stream.meter.estimated_tokens())
        usage = self.reading.usage if self.reading is not None else None
        guess = max(1, len(self.text) // CHARACTERS_PER_TOKEN)
        return self.call.succeeded(usage, guess, self.said)


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks upstreams. A call that fails before its first content raises `UpstreamError`; nobody saw it."""

    upstreams: Mapping[str, Upstream]
    limits: ExecutionSettings
    keep_text: bool = True
    deadlines: Deadlines = field(default_factory=Deadlines)
    shares: Mapping[str, Share] = field(default_factory=dict[str, "Share"])

    async def ask(self, call: Call) -> Landed:
        """The answer of the call's candidate."""
        request = call.flight.request
        call.measured_by(self.shares.get(call.candidate.id))
        loop = asyncio.get_running_loop()
        wait, now = self.deadlines.wait(loop), loop.time()
        ends_at = min(now + self.limits.try_s, call.flight.ends_at)
        first_by = min(now + self.limits.first_token_s, ends_at) if request.stream else ends_at
        streaming = False
        wait.begin(first_by)
        try:
            answer = await self.upstreams[call.candidate.id].ask(request)
            if not request.stream:
                return _whole(call, answer if isinstance(answer, bytes) else await _gathered(answer))
            pieces = _events(answer) if isinstance(answer, bytes) else answer
            held_until = call.flight.held_until if call.candidate.location == "edge" else None
            keep_text = self.keep_text or held_until is not None
            meter = Meter(wants_usage=request.wants_usage, keep_text=keep_text)
            stream = Stream(call.candidate.id, pieces, meter, wait, self.limits.idle_s, ends_at)
            await _begin(call, stream)
            wait.over()
            streaming = True
            if held_until is not None:
                await held(stream, held_until)
            return Landed(call, stream=stream)
        except asyncio.CancelledError:
            if not wait.is_late():
                raise
            kind = "sent no words" if request.stream else "did not answer"
            raise UpstreamTimeout(f"{call.candidate.id} {kind} within {first_by - now:.3g} s.") from None
        finally:
            if not streaming:
                wait.close()


async def _begin(call: Call, stream: Stream) -> None:
    """Read until the first real content, or until it is clear that none will come."""
    meter, head, size = stream.meter, list[bytes](), 0
    try:
        async for piece in stream.pieces:
            ready = meter.feed(piece)
            head.append(ready)
            size += len(ready)
            if meter.started or meter.done or meter.error:
                break
            if size > MOST_BEFORE_CONTENT:
                meter.error = f"{call.candidate.id} sent {size:,} bytes without a word."
                break
        head.append(_begun(call, meter))
    except BaseException:
        await stream.pieces.aclose()
        raise
    stream.head = b"".join(head)


def _begun(call: Call, meter: Meter) -> bytes:
    """What a stream that has ended before its first content still has for the client: a whole answer."""
    end = b"" if meter.started or meter.error else meter.finish()
    if meter.started:
        call.first_content()
    elif meter.error:
        raise UpstreamError(meter.error)
    elif not end:
        raise UpstreamError(f"{call.candidate.id} ended its stream without [DONE].")
    return end.removesuffix(DONE)


def _whole(call: Call, body: bytes) -> Landed:
    """A whole answer that is one; an error inside a 200 is none."""
    reading = read_plain(body) if call.flight.request.needs.task is None else read_label(body)
    if reading.error is not None:
        failed = UpstreamError(f"{call.candidate.id}: {reading.error}")
        if reading.usage is not None:
            failed.used = reading.usage.prompt_tokens, reading.usage.completion_tokens
        raise failed
    call.first_content()
    return Landed(call, body, reading)


async def _gathered(pieces: AsyncGenerator[bytes, None]) -> bytes:
    """The whole of an upstream that streams where nobody asked it to."""
    try:
        return b"".join([piece async for piece in pieces])
    finally:
        await pieces.aclose()


async def _events(whole: bytes) -> AsyncGenerator[bytes, None]:
    """An upstream that does not stream where it was asked to."""
    yield whole
