"""The three hundred prompts that come with Edgewise: six tasks, five levels, a check with each."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from edgewise.learning.prompts.files import Prompt, prompt_from

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = ("arithmetic", "classification", "code", "extraction", "formatting", "lookup")


def shipped(tasks: Sequence[str] = TASKS) -> list[Prompt]:
    """The shipped prompts of these tasks, level by level; `more` holds a `right` and a `wrong` answer."""
    found = [prompt for task in tasks for prompt in _of(task)]
    return sorted(found, key=lambda prompt: prompt.level or 0)


def _of(task: str) -> list[Prompt]:
    text = files("edgewise.learning.graders").joinpath("shipped", f"{task}.jsonl").read_text("utf-8")
    read = [prompt_from(msgspec.json.decode(line)) for line in text.splitlines()]
    return [prompt for prompt in read if isinstance(prompt, Prompt)]
