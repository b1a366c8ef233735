"""POST /v1/classify: a label for each text, each text placed on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import EdgewiseError, LimitReached, UnknownModel
from edgewise.gateway.batches import Sums, together
from edgewise.gateway.callers import CALLER, NOBODY
from edgewise.gateway.chat import told, wished
from edgewise.gateway.classify_body import parse_classify
from edgewise.gateway.connection import KEY
from edgewise.gateway.failures import failure, in_words
from edgewise.gateway.limits import ACCOUNT
from edgewise.gateway.wire import JSON, read_body, send_bytes, send_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.domain.requests import Request
    from edgewise.execution import Answer
    from edgewise.gateway.classify_body import Batch
    from edgewise.gateway.wire import Receive, Scope, Send
    from edgewise.router import Router
    from edgewise.settings import ServerSettings


async def classify(
    scope: Scope, receive: Receive, send: Send, *, router: Router, server: ServerSettings
) -> None:
    """Label one text or many. A client that hangs up cancels what is under way."""
    body = await read_body(scope, receive, limit=server.max_body_bytes, timeout_s=server.body_timeout_s)
    batch = parse_classify(body, wished(scope), router.tasks(), scope.get(CALLER, NOBODY))
    account = scope.get(ACCOUNT)
    if account is not None:
        account.reserve(*batch.requests)
    connection = scope.get(KEY)
    if connection is not None:
        connection.cancel_when_lost = True
    try:
        await _answer(batch, router, send, None if account is None else account.check_money)
    except asyncio.CancelledError:
        if connection is None or not connection.is_lost:
            raise
    finally:
        if account is not None:
            for request in batch.requests:
                account.settle(request.id)  # whatever left no record used nothing


async def _answer(batch: Batch, router: Router, send: Send, admit: Callable[[], None] | None) -> None:
    found = await together(router, batch.requests, admit)
    first = found[0]
    if all(isinstance(one, EdgewiseError) for one in found) and isinstance(first, EdgewiseError):
        status, headers, body = failure(first)
        if not isinstance(first, UnknownModel | LimitReached):  # such a request left no record to ask for
            headers.append((b"x-request-id", batch.requests[0].id.encode()))
        await send_bytes(send, status, [JSON, *headers], body)
        return
    headers = [] if len(found) > 1 or isinstance(first, EdgewiseError) else told(first.decision)
    await send_json(send, _body(batch, found), headers=headers)


def _body(batch: Batch, found: Sequence[Answer | EdgewiseError]) -> dict[str, Any]:
    data = [
        _item(place, request, answer, batch.top_k)
        for place, (request, answer) in enumerate(zip(batch.requests, found, strict=True))
    ]
    outcomes = [one.outcome for one in found if not isinstance(one, EdgewiseError)]
    tokens = sum(outcome.input_tokens or 0 for outcome in outcomes if outcome is not None)
    said = sum(outcome.output_tokens or 0 for outcome in outcomes if outcome is not None)
    return {
        "object": "list",
        "data": data,
        "model": batch.model,
        "usage": {"prompt_tokens": tokens, "completion_tokens": said, "total_tokens": tokens + said},
        "edgewise": Sums(found).told(),
    }


def _item(place: int, request: Request, answer: Answer | EdgewiseError, top_k: int) -> dict[str, Any]:
    item: dict[str, Any] = {"object": "classification", "index": place, "id": request.id}
    if isinstance(answer, EdgewiseError):
        return {**item, "label": None, "probabilities": {}, "error": in_words(answer)}
    decision, said = answer.decision, answer.said
    return {
        **item,
        "label": said.label if said else None,
        "probabilities": {label: round(p, 6) for label, p in said.top(top_k).items()} if said else {},
        "out_of_scope": said.out_of_scope if said else None,
        "candidate": decision.chosen,
        "location": decision.location,
        "policy": decision.policy,
        "reason": decision.reason,
    }
