"""The same candidate, helped: worked examples before the question, and a vote between several answers.

Slower than asking once and meant to be better: a second endpoint for whoever has only one model. What the
examples are, and which answers are the same, is handed in; the right answer is known to nobody here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from edgewise.domain.errors import UpstreamError
from edgewise.upstreams.reading import read_plain
from edgewise.upstreams.unstreamed import events_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request

LEAST_TEMPERATURE = 0.5  # of the votes after the first: equal answers would be no vote
DONE = b"data: [DONE]\n\n"
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Helped:
    """Ask `inner` up to `votes` times, `examples(prompt)` before the question, and give the commonest answer.

    The first vote is cast at the request's own temperature, the others warmer. Answers with the same
    `ballot(prompt, answer)` are the same; of several commonest ones the earliest wins, an empty ballot only
    where all are empty. Once more than half agree nobody else is asked. Tokens of all votes are summed up in
    the answer's usage: they were all paid for. A stream comes once the vote is over. Requests with tools are
    passed on as they are. Fails only where every vote does, with the first failure.
    """

    inner: Upstream
    ballot: Callable[[str, str], str]
    examples: Callable[[str], Sequence[tuple[str, str]]] | None = None
    votes: int = 5

    async def ask(self, request: Request) -> bytes | AsyncGenerator[bytes, None]:
        """The commonest answer."""
        if request.needs.tools:
            return await self.inner.ask(request)
        enough = self.votes // 2 + 1
        answers = await self._asked(request, range(enough))
        if self._most(request, answers) < enough:
            answers += await self._asked(request, range(enough, self.votes))
        whole = [answer for answer in answers if isinstance(answer, bytes)]
        if not whole:
            raise next(answer for answer in answers if isinstance(answer, UpstreamError))
        body = self._elected(request, whole)
        return _events(body) if request.stream else body

    async def aclose(self) -> None:
        """Close the upstream behind."""
        await self.inner.aclose()

    async def _asked(self, request: Request, votes: Sequence[int]) -> list[bytes | UpstreamError]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._vote(request, number)) for number in votes]
        return [task.result() for task in tasks]

    async def _vote(self, request: Request, number: int) -> bytes | UpstreamError:
        try:
            answer = await self.inner.ask(self._put(request, number))
        except UpstreamError as error:
            return error
        return answer if isinstance(answer, bytes) else UpstreamError("It streamed what was asked for whole.")

    def _put(self, request: Request, number: int) -> Request:
        """The request of one vote: examples before the last message, another seed and temperature."""
        fields = _decode(request.body)
        messages: list[Any] = fields["messages"]
        if self.examples is not None and len([m for m in messages if m.get("role") != "system"]) == 1:
            turns = [
                {"role": role, "content": text}
                for pair in self.examples(request.prompt)
                for role, text in zip(("user", "assistant"), pair, strict=True)
            ]
            fields["messages"] = [*messages[:-1], *turns, messages[-1]]
        for name in ("stream", "stream_options", "n"):
            fields.pop(name, None)
        if number:
            fields["temperature"] = max(fields.get("temperature") or 0.0, LEAST_TEMPERATURE)
            fields["seed"] = (fields.get("seed") or 0) + number
        changes = {"stream": False, "wants_usage": False, "stream_options": False}
        return msgspec.structs.replace(request, body=_encode(fields), **changes)

    def _most(self, request: Request, answers: list[bytes | UpstreamError]) -> int:
        found = Counter(self._ballots(request, [a for a in answers if isinstance(a, bytes)]))
        found.pop("", None)
        return max(found.values(), default=0)

    def _ballots(self, request: Request, answers: list[bytes]) -> list[str]:
        return [self.ballot(request.prompt, read_plain(answer).text) for answer in answers]

    def _elected(self, request: Request, answers: list[bytes]) -> bytes:
        """The first answer with the commonest ballot, its usage that of all of them."""
        ballots = self._ballots(request, answers)
        counts = Counter(ballot for ballot in ballots if ballot) or Counter(ballots)
        winner = answers[ballots.index(counts.most_common(1)[0][0])]
        usages = [usage for answer in answers if (usage := read_plain(answer).usage) is not None]
        if len(usages) < len(answers):
            return winner
        asked = sum(usage.prompt_tokens for usage in usages)
        said = sum(usage.completion_tokens for usage in usages)
        paid = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
        return _encode({**_decode(winner), "usage": paid})


async def _events(body: bytes) -> AsyncGenerator[bytes, None]:
    yield events_of(body)
    yield DONE
