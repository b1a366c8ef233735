"""A labelled fake: answers from the checks of prompts, so that a loop can be tried with one who knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.learning.graders.registry import grader_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.domain.requests import Request
    from edgewise.learning.prompts import Prompt

UNKNOWN = "(simulated) I do not know that."


class Oracle:
    """What is known to be right of each prompt that has a check; `UNKNOWN` of every other.

    Where the check only says how to tell (a pattern, tests), the prompt's own `right` answer is used.
    """

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._right = {prompt.prompt: right for prompt in prompts if (right := _right(prompt)) is not None}

    def __call__(self, request: Request) -> str:
        """The right answer to the request's last message."""
        return self._right.get(request.prompt, UNKNOWN)


def _right(prompt: Prompt) -> str | None:
    if prompt.check is None:
        return None
    kept = prompt.more.get("right")
    return kept if isinstance(kept, str) else grader_of(prompt.check).known_right()
