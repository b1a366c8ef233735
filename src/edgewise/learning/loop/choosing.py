"""Which prompts the loop learns from: so many of a file, or of those that come with Edgewise."""

from __future__ import annotations

from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING

from edgewise.domain.keys import prompt_key
from edgewise.learning.graders import shipped
from edgewise.learning.graders.shipped_prompts import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.learning.prompts import Prompt

CODE = "code"


def chosen(prompts: Iterable[Prompt], count: int | None, seed: int) -> list[Prompt]:
    """Of any number of prompts `count`, drawn by hash, in their order; all of them without a count."""
    if count is None:
        return list(prompts)
    kept: list[tuple[int, int, Prompt]] = []
    for number, prompt in enumerate(prompts):
        entry = (-_draw(prompt, seed), number, prompt)
        if len(kept) < count:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)
    return [prompt for _, _, prompt in sorted(kept, key=lambda entry: entry[1])]


def shipped_prompts(count: int | None, seed: int, *, code: bool = True) -> list[Prompt]:
    """Of the shipped prompts `count`, of each task and level alike; all of them without a count.

    Without `code` those are left out whose answers are graded by running them.
    """
    found = shipped([task for task in TASKS if code or task != CODE])
    if count is None or count >= len(found):
        return found
    turns: dict[tuple[str | None, int | None], int] = {}
    places: list[tuple[int, int, Prompt]] = []
    for prompt in sorted(found, key=lambda each: _draw(each, seed)):
        label = (prompt.group, prompt.level)
        turns[label] = turns.get(label, 0) + 1
        places.append((turns[label], _draw(prompt, seed), prompt))
    kept = sorted(places, key=lambda place: place[:2])[:count]
    names = {prompt.prompt for _, _, prompt in kept}
    return [prompt for prompt in found if prompt.prompt in names]


def _draw(prompt: Prompt, seed: int) -> int:
    digest = blake2b(f"{seed}:{prompt_key(prompt.prompt)}".encode(), digest_size=8)
    return int.from_bytes(digest.digest())
