"""Everything but chat: labels, models, embeddings, route, decisions, feedback, health, metrics."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.errors import RequestError, UnknownModel
from edgewise.domain.feedback import WORDS, checked_feedback
from edgewise.domain.ids import is_minted, mint
from edgewise.domain.stories import as_json
from edgewise.gateway.chat import read_chat, told
from edgewise.gateway.classify import classify
from edgewise.gateway.json_body import decoded
from edgewise.gateway.openapi import description
from edgewise.gateway.wire import JSON, read_body, send_bytes, send_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from edgewise.domain.protocols import OutcomeLog
    from edgewise.domain.stories import Story
    from edgewise.gateway.wire import Receive, Scope, Send
    from edgewise.outcomes import LogReader
    from edgewise.router import Router
    from edgewise.settings import ServerSettings

    Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
    Embed = Callable[[list[str]], tuple[Any, int]]

DECISIONS = "/v1/decisions/"
MODELS = "/v1/models/"
METRICS = "/metrics"
TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
MOST_TEXTS = 2048
MOST_DECISIONS = 1000
MOST_LISTED_BYTES = 16_000_000  # of texts in one page of decisions
LIMIT = re.compile(r"[0-9]{1,4}")
STARTED = int(time())


class _EmbeddingsBody(Struct):
    input: str | list[str]
    model: str = "minilm"
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class _FeedbackBody(Struct, forbid_unknown_fields=True):
    id: str
    quality: float | None = None
    rating: float | None = None
    thumbs: Literal["up", "down"] | None = None
    edit_distance: float | None = None
    correction: bool | None = None
    abandoned_s: float | None = None
    success: bool | float | None = None
    comment: str | None = None
    source: str = "user"


_embeddings = msgspec.json.Decoder(_EmbeddingsBody).decode
_feedback = msgspec.json.Decoder(_FeedbackBody).decode
Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Pages:
    """The gateway's cooler paths.

    `embeddings` give vectors (n, d) and a token count by model; `ready` a problem or None; `warnings` what is
    not as it should be, though requests can be answered, `promises` what is known of each classifier's.
    `metrics` is the page for Prometheus, where there is one.
    """

    router: Router
    log: OutcomeLog
    reader: LogReader
    server: ServerSettings
    embeddings: Mapping[str, Embed]
    ready: Callable[[], str | None]
    warnings: Callable[[], Sequence[str]] = tuple
    promises: Callable[[], Mapping[str, str]] = dict[str, str]
    metrics: Callable[[], bytes] | None = None

    def at(self, path: str) -> Mapping[str, Handler]:
        """The handlers of a path by method; empty where there is nothing."""
        if path.startswith(DECISIONS):
            return {"GET": self.decision}
        if path.startswith(MODELS):
            return {"GET": self.model}
        fixed: dict[str, Mapping[str, Handler]] = {
            "/v1/models": {"GET": self.models},
            "/v1/embeddings": {"POST": self.embed},
            "/v1/classify": {"POST": partial(classify, router=self.router, server=self.server)},
            "/v1/route": {"POST": self.route},
            "/v1/feedback": {"POST": self.feedback},
            "/v1/decisions": {"GET": self.decisions},
            "/openapi.json": {"GET": self.openapi},
            "/healthz": {"GET": self.healthz, "HEAD": self.healthz},
            "/readyz": {"GET": self.readyz, "HEAD": self.readyz},
            METRICS: {"GET": self.measured} if self.metrics is not None else {},
        }
        return fixed.get(path, {})

    async def models(self, _: Scope, __: Receive, send: Send) -> None:
        """What `model` may say: auto, auto:NAME, and each candidate."""
        await send_json(send, {"object": "list", "data": self._models()})

    async def model(self, scope: Scope, _: Receive, send: Send) -> None:
        """One of them."""
        asked = scope["path"].removeprefix(MODELS)
        found = next((model for model in self._models() if model["id"] == asked), None)
        if found is None:
            raise UnknownModel(
                f"The model '{asked[:100]}' does not exist; GET /v1/models lists those that do."
            )
        await send_json(send, found)

    def _models(self) -> list[dict[str, Any]]:
        named = ["auto", *(f"auto:{name}" for name in self.router.policies if name != "auto")]
        listed: list[dict[str, Any]] = [_model(name) for name in named]
        return listed + [{**_model(c.id), "edgewise": c} for c in self.router.candidates]

    async def embed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sentence vectors, as floats or base64 of little-endian float32."""
        body = await self._read(scope, receive, _embeddings)
        model = "minilm" if body.model == "auto" else body.model
        embed = self.embeddings.get(model)
        if embed is None:
            raise UnknownModel(f"'{model[:100]}' cannot embed; {', '.join(self.embeddings)} can.")
        texts = [body.input] if isinstance(body.input, str) else body.input
        if not 0 < len(texts) <= MOST_TEXTS or not all(texts):
            raise RequestError(f"`input` takes 1 to {MOST_TEXTS} texts, none of them empty.", param="input")
        vectors, tokens = await asyncio.to_thread(embed, texts)
        if body.dimensions not in (None, vectors.shape[1]):
            raise RequestError(f"{model} has {vectors.shape[1]} dimensions, no others.", param="dimensions")
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, body.encoding_format)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        await send_json(send, {"object": "list", "data": data, "model": model, "usage": usage})

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide, don't call. The decision is recorded, unless the query says `record=false`."""
        record = _records(scope["query_string"])
        request = await read_chat(scope, receive, self.server)
        decision = await self.router.decide(request)
        if record:
            await self.log.append(decision)
        await send_json(send, decision, headers=told(decision))

    async def decisions(self, scope: Scope, _: Receive, send: Send) -> None:
        """The latest decisions, newest first: `limit` (50) and `before` (an id) page through them.

        A page of long texts has fewer than `limit`, so that no question can fill the memory.
        """
        query = parse_qs(scope["query_string"].decode("latin-1"))
        limit = query.get("limit", ["50"])[-1]
        if not LIMIT.fullmatch(limit) or not 0 < int(limit) <= MOST_DECISIONS:
            raise RequestError(f"`limit` is a number from 1 to {MOST_DECISIONS}.", param="limit")
        before = query.get("before", [None])[-1]
        stories = await asyncio.to_thread(self.reader.latest, int(limit), before, MOST_LISTED_BYTES)
        await send_json(send, {"object": "list", "data": [as_json(story) for story in stories]})

    async def decision(self, scope: Scope, _: Receive, send: Send) -> None:
        """One decision with its attempts, outcome and feedback."""
        await send_json(send, as_json(await self._story(scope["path"].removeprefix(DECISIONS))))

    async def feedback(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store what somebody thought of an answer."""
        body = await self._read(scope, receive, _feedback)
        said = {name: getattr(body, name) for name in WORDS}
        said["success"] = None if body.success is None else float(body.success)
        found = checked_feedback(id=mint(), decision_id=body.id, at=time(), source=body.source, **said)
        found = replace(found, decision_id=(await self._story(body.id)).decision.id)
        await self.log.append(found)
        await send_json(send, found, status=201)

    async def openapi(self, _: Scope, __: Receive, send: Send) -> None:
        """What this gateway answers to, in OpenAPI's words."""
        await send_bytes(send, 200, [JSON], description())

    async def healthz(self, _: Scope, __: Receive, send: Send) -> None:
        """The process lives; and what is not as it should be."""
        await send_json(send, {"status": "ok", **self._warned()})

    async def readyz(self, _: Scope, __: Receive, send: Send) -> None:
        """Requests can be answered, or what is still missing (503); in both cases what else is wrong."""
        problem = self.ready()
        promises = dict(self.promises())
        more: dict[str, Any] = self._warned() | ({"promises": promises} if promises else {})
        if problem is None:
            await send_json(send, {"status": "ready", **more})
        else:
            await send_json(send, {"status": "not ready", "problem": problem, **more}, status=503)

    async def measured(self, _: Scope, __: Receive, send: Send) -> None:
        """The traffic in numbers, in Prometheus' text format."""
        found = b"" if self.metrics is None else self.metrics()
        await send_bytes(send, 200, [TEXT], found)

    def _warned(self) -> dict[str, list[str]]:
        warnings = list(self.warnings())
        return {"warnings": warnings} if warnings else {}

    async def _read(self, scope: Scope, receive: Receive, decode: Callable[[bytes], Shape]) -> Shape:
        limit, patience = self.server.max_body_bytes, self.server.body_timeout_s
        return decoded(await read_body(scope, receive, limit=limit, timeout_s=patience), decode)

    async def _story(self, decision_id: str) -> Story:
        story = await asyncio.to_thread(self.reader.decision, decision_id) if is_minted(decision_id) else None
        if story is None:
            raise UnknownModel(
                f"There is no decision {decision_id[:100]!r} in the log.",
                param="id",
                code="decision_not_found",
            )
        return story


def _records(query: bytes) -> bool:
    """Whether a decision goes into the log: for whoever only looks at what would happen, it need not."""
    said = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("record", ["true"])[-1]
    if said not in ("true", "false"):
        raise RequestError("`record` is true or false.", param="record")
    return said == "true"


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": STARTED, "owned_by": "edgewise"}


def _encoded(vector: Any, how: str) -> str | list[float]:
    if how == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    numbers: list[float] = vector.tolist()
    return numbers
