"""A body of `/v1/classify` as it came in → one `Request` a text; anything wrong becomes one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from edgewise.domain.errors import RequestError
from edgewise.domain.ids import mint
from edgewise.domain.requests import Needs, Request, Wishes
from edgewise.domain.tokens import tokens_in
from edgewise.gateway.callers import NOBODY
from edgewise.gateway.chat_body import NOT_BLANK, OURS, Extended, wishes_in
from edgewise.gateway.json_body import check_once, decoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.gateway.callers import Caller

MOST_TEXTS = 10_000
TOP = 5  # probabilities that an answer holds, where the request does not say


class _ClassifyBody(Extended, forbid_unknown_fields=True):
    input: str | list[str]
    task: str | None = None
    top_k: int = TOP
    user: Any = None  # OpenAI's field, of no use here


_decode = msgspec.json.Decoder(_ClassifyBody).decode
_encode = msgspec.json.Encoder().encode


class Batch(NamedTuple):
    """The texts of one call, each a request of its own; of each `top_k` probabilities are wanted (0: all)."""

    requests: tuple[Request, ...]
    top_k: int
    model: str


def parse_classify(
    body: bytes, headers: Mapping[str, str], tasks: Sequence[str], caller: Caller = NOBODY
) -> Batch:
    """The texts in `body`, with the wishes of the `x-edgewise-*` headers (names without that prefix).

    `tasks` are those that there are classifiers for. Raises `RequestError` (400) with one sentence.
    """
    asked = decoded(body, _decode)
    if b'"edgewise"' in body and asked.edgewise:
        check_once(body, OURS)
    wishes = wishes_in(asked, headers, caller)
    if wishes.session is not None:
        raise RequestError("A text to be labelled belongs to no session.", param="edgewise.session")
    if asked.top_k < 0:
        raise RequestError("`top_k` is negative; 0 is all probabilities.", param="top_k")
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    _check(texts)
    return Batch(
        requests_for(texts, task_of(asked.task, tasks), wishes, caller.name), asked.top_k, wishes.model
    )


def requests_for(
    texts: Sequence[str], task: str, wishes: Wishes | None = None, key: str | None = None
) -> tuple[Request, ...]:
    """One request a text. They all have the same wishes."""
    wishes = wishes or Wishes()
    return tuple(
        Request(
            id=mint(),
            prompt=text,
            text=text,
            body=_encode({"model": wishes.model, "input": text}),
            wishes=wishes,
            needs=Needs(input_tokens=max(1, int(tokens_in(text))), task=task),
            key=key,
        )
        for text in texts
    )


def task_of(asked: str | None, tasks: Sequence[str]) -> str:
    """The task that is meant. Raises `RequestError` where there is no such one, or several could be."""
    if not tasks:
        raise RequestError(
            'No classifier is configured; add [[candidates]] with kind = "classifier".',
            status=404,
            code="no_classifier",
        )
    if asked is None:
        if len(tasks) == 1:
            return tasks[0]
        raise RequestError(f"`task` is missing; there are {_listed(tasks)}.", param="task")
    if asked not in tasks:
        raise RequestError(
            f"There is no task '{asked[:100]}'; there are {_listed(tasks)}.", status=404, param="task"
        )
    return asked


def _check(texts: Sequence[str]) -> None:
    if not 0 < len(texts) <= MOST_TEXTS:
        raise RequestError(f"`input` takes 1 to {MOST_TEXTS:,} texts, not {len(texts):,}.", param="input")
    for place, text in enumerate(texts):
        if "\x00" in text or not NOT_BLANK.search(text):
            found = "holds a NUL character" if "\x00" in text else "is empty"
            where = f"input[{place}]"
            raise RequestError(f"{where} {found}; leave it out.", param=where)


def _listed(tasks: Sequence[str]) -> str:
    return ", ".join(f"'{task}'" for task in tasks)
