"""A classifier elsewhere, behind `/v1/classify`, as an `Upstream`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from edgewise.domain.errors import UpstreamError
from edgewise.domain.labels import Said
from edgewise.upstreams.classifier.together import Together
from edgewise.upstreams.labels import label_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.requests import Request
    from edgewise.upstreams.openai import OpenAICompatible

MOST_TOGETHER, AT_ONCE = 64, 8


class _Item(Struct):
    label: str | None = None
    probabilities: dict[str, float] = {}
    out_of_scope: float | None = None


class _Usage(Struct):
    prompt_tokens: int = 0


class _Answer(Struct):
    data: list[_Item]
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class RemoteClassifier:
    """Asks an endpoint for the labels of all texts that come together, in one call.

    A text that it gives no label for fails alone.
    """

    def __init__(self, endpoint: OpenAICompatible) -> None:
        self._endpoint = endpoint
        self._together = Together(self._run, most=MOST_TOGETHER, at_once=AT_ONCE)

    async def ask(self, request: Request) -> bytes:
        """What the endpoint says of the request's prompt."""
        return await self._together.ask(request)

    @property
    def rtt_s(self) -> float | None:
        """The round trip on one of its connections, in seconds; None where nobody measured it."""
        return self._endpoint.rtt_s

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._together.aclose()
        await self._endpoint.aclose()

    async def _run(self, requests: Sequence[Request]) -> Sequence[bytes | Exception]:
        name = self._endpoint.candidate_id
        texts = [request.prompt for request in requests]
        body = _encode({"model": self._endpoint.model, "input": texts, "top_k": 0})
        reply = await self._endpoint.post("/classify", body)
        try:
            answer = _decode(reply.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise UpstreamError(f"{name}: The candidate's answer is not a JSON classification.") from None
        if len(answer.data) != len(texts):
            raise UpstreamError(
                f"{name}: The candidate's answer has {len(answer.data)} labels for {len(texts)} texts."
            )
        tokens = shares(answer.usage.prompt_tokens if answer.usage else 0, len(texts))
        return [_said(name, item, count) for item, count in zip(answer.data, tokens, strict=True)]


def shares(total: int, count: int) -> list[int]:
    """`total` in so many whole parts that differ by one at most; their sum is the total again."""
    least, more = divmod(max(0, total), count)
    return [least + (place < more) for place in range(count)]


def _said(name: str, item: _Item, tokens: int) -> bytes | Exception:
    if item.label is None:
        return UpstreamError(f"{name}: The candidate gave no label for this text.")
    return label_body(Said(item.label, item.probabilities, item.out_of_scope), tokens)
