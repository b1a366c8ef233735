"""`edgewise classify` without a bundle: texts go through the router, as they would through the gateway."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewise.app import App
from edgewise.cli.console import err
from edgewise.domain.errors import EdgewiseError
from edgewise.domain.requests import Wishes
from edgewise.gateway.batches import Sums, together
from edgewise.gateway.classify_body import requests_for, task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edgewise.execution import Answer
    from edgewise.settings import Settings

    Row = tuple[str, Mapping[str, Any]]

NUL = "\x00"


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one text."""

    found: Answer | EdgewiseError

    def row(self, top: int) -> dict[str, Any]:
        """What is added to the text's row; `error` says why there is no label."""
        found = self.found
        if isinstance(found, EdgewiseError):
            return {
                "label": None,
                "probabilities": {},
                "candidate": None,
                "reason": None,
                "error": str(found),
            }
        said = found.said
        return {
            "label": said.label if said else None,
            "probabilities": {label: round(p, 6) for label, p in said.top(top).items()} if said else {},
            "candidate": found.decision.chosen,
            "reason": found.decision.reason,
        }


async def routed(
    settings: Settings,
    batches: Iterable[Sequence[Row]],
    take: Callable[[Sequence[Row], Sequence[Placed | None]], None],
    *,
    task: str | None,
    model: str,
) -> None:
    """Hand each batch to `take` with what became of its texts; None for an empty text.

    What they came to together goes to standard error.
    """
    sums, failures, empty = Sums(), Counter[str](), 0
    async with App(settings) as app:
        router = app.router
        named, wishes = task_of(task, router.tasks()), Wishes(model)
        for batch in batches:
            texts = [text.replace(NUL, "") for text, _ in batch]
            full = [text for text in texts if text.strip()]
            answers = await together(router, requests_for(full, named, wishes))
            each = iter(answers)
            take(batch, [Placed(next(each)) if text.strip() else None for text in texts])
            empty += len(texts) - len(full)
            for one in answers:
                sums.add(one)
            failures.update(str(one) for one in answers if isinstance(one, EdgewiseError))
    tell_empty(empty)
    _tell(sums, failures)


def tell_empty(empty: int) -> None:
    """Say how many rows had no text."""
    if empty:
        err(f"{empty:,} {'row has' if empty == 1 else 'rows have'} an empty text, and got no label.")


def _tell(sums: Sums, failures: Counter[str]) -> None:
    if not sums.texts:
        return
    cost = f"for ${sums.cost_usd:.6f}" if sums.is_priced else "at unknown cost"
    failed = f", {sums.failed:,} without a label" if sums.failed else ""
    edge, cloud = sums.places["edge"], sums.places["cloud"]
    err(f"{sums.texts:,} texts: {edge:,} at the edge, {cloud:,} in the cloud{failed}, {cost}.")
    if failures:
        sentence, times = failures.most_common(1)[0]
        err(f"{times:,} of them: {sentence}")
