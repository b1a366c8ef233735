"""Prompts from the outcome log: a seeded sample of what was asked, with what was promised for it."""

from __future__ import annotations

import heapq
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.errors import TableError
from edgewise.domain.keys import prompt_key
from edgewise.domain.privacy import privacy_of, promise_for
from edgewise.learning.prompts.files import Prompt, prompt_from

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.stories import Story

SOURCE = "log"


def sampled(stories: Iterable[Story], count: int, seed: int = 0) -> list[Prompt]:
    """Up to `count` different prompts of a log, each as likely as any other, in the order of a draw.

    Only prompts whose text was kept can be drawn. A prompt that was declared private once, or in which a
    detector found something private, keeps the strictest promise that was made for it. Raises
    `TableError` where the log holds no such prompt.
    """
    kept: dict[str, Prompt] = {}
    heap: list[tuple[int, str]] = []  # the largest lot first, negated
    hidden = 0
    for story in stories:
        decision = story.decision
        if decision.shadow_of is not None:
            continue
        if not decision.prompt:
            hidden += 1
            continue
        key = prompt_key(decision.prompt)
        if key in kept:
            before = kept[key]
            kept[key] = replace(before, privacy=privacy_of(before.privacy, promise_for(decision)))
            continue
        lot = -int.from_bytes(sha256(f"{seed}:{key}".encode()).digest()[:8])
        if len(heap) >= count and lot <= heap[0][0]:
            continue
        if isinstance(found := prompt_from({"prompt": decision.prompt}), str):
            continue
        kept[key] = replace(found, source=SOURCE, privacy=promise_for(decision))
        heapq.heappush(heap, (lot, key))
        if len(heap) > count:
            del kept[heapq.heappop(heap)[1]]
    if not kept:
        why = f': [store] prompts was not "full" for its {hidden:,} decisions' if hidden else ""
        raise TableError(f"The log holds no prompt's text{why}.")
    return [kept[key] for _, key in sorted(heap, reverse=True)]
