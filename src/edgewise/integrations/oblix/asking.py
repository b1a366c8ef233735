"""One attempt: some of the models are allowed, one of them is chosen and asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from edgewise.domain.errors import (
    EdgewiseError,
    NoEligibleCandidate,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edgewise.domain.decisions import Outcome
    from edgewise.library import Ask, Router

POLL_S = 0.1


class Attempt(NamedTuple):
    """How it ended: the answer, or for each model that is out why; `away` are those out of reach."""

    answer: dict[str, Any] | None
    reasons: Mapping[str, str] = {}
    away: Collection[str] = ()


async def attempt(
    router: Router, prompt: str, options: Mapping[str, Any], allowed: tuple[str, ...], *, pin: str | None
) -> Attempt:
    """Ask one of the `allowed`, or `pin`. Runs on the router's own event loop.

    An answer that has not begun is not waited for once nobody in question can be reached any more. Raises
    RequestError for a prompt that nobody could answer.
    """
    asking = router.ask(prompt, model=pin or "auto", candidates=None if pin else allowed, **options)
    began = asyncio.Event()
    call = asyncio.create_task(_text(asking, began))
    try:
        while not call.done() and not began.is_set():
            await asyncio.wait({call}, timeout=POLL_S)
            if not call.done() and not began.is_set() and (gone := _gone(router, allowed)):
                return Attempt(None, gone, tuple(gone))
        return Attempt(_answer(asking, await call))
    except NoEligibleCandidate as refused:
        return Attempt(None, {o.candidate: o.sentence for o in refused.objections if o.candidate in allowed})
    except UpstreamError as error:
        chosen = asking.decision.chosen if asking.decision is not None else allowed[0]
        away = isinstance(error, (UpstreamUnreachable, UpstreamTimeout))
        return Attempt(None, {chosen: str(error).rstrip(".")}, (chosen,) if away else ())
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def _text(asking: Ask, began: asyncio.Event) -> str:
    words: list[str] = []
    async for piece in asking:
        began.set()
        words.append(piece)
    return "".join(words)


def _gone(router: Router, allowed: Collection[str]) -> dict[str, str]:
    """Why it is no use to wait: who is out of reach, if that is all of them."""
    signals = router.signals
    for name in allowed:
        way = signals.get(f"online:{name}")
        if way is None or way.state != "critical":
            return {}
    return dict.fromkeys(allowed, "Its endpoint can no longer be reached")


def _answer(asking: Ask, text: str) -> dict[str, Any]:
    decision = asking.decision
    if decision is None:
        raise EdgewiseError("The answer came without a decision.")
    return {
        "request_id": decision.id,
        "model_id": decision.chosen,
        "response": text,
        "metrics": _metrics(asking.outcome),
    }


def _metrics(outcome: Outcome | None) -> dict[str, Any]:
    """Times in seconds; what nobody knows is left out. Tokens a second count from the request's arrival."""
    if outcome is None:
        return {}
    written, took = outcome.output_tokens, outcome.latency_s
    found = {
        "total_latency": took,
        "time_to_first_token": outcome.ttft_s,
        "input_tokens": outcome.input_tokens,
        "output_tokens": written,
        "tokens_per_second": written / took if written is not None and took > 0.0 else None,
        "cost_usd": outcome.cost_usd,
    }
    return {name: value for name, value in found.items() if value is not None}
