"""What stands in a prompts file, counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgewise.learning.prompts.files import Prompt

NONE = ""


class Counts(Struct, frozen=True):
    """How many prompts there are, of each label; the empty label stands for prompts without one.

    `conversations` have more than one message, `local` may not leave this machine.
    """

    prompts: int
    conversations: int
    local: int
    split: dict[str, int] = field(default_factory=dict[str, int])
    kind: dict[str, int] = field(default_factory=dict[str, int])
    group: dict[str, int] = field(default_factory=dict[str, int])
    level: dict[str, int] = field(default_factory=dict[str, int])
    check: dict[str, int] = field(default_factory=dict[str, int])
    source: dict[str, int] = field(default_factory=dict[str, int])


LABELS = ("split", "kind", "group", "level", "check", "source")


def counted(prompts: Iterable[Prompt]) -> Counts:
    """Count prompts; in each label's counts the most frequent come first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in LABELS}
    total = conversations = local = 0
    for prompt in prompts:
        total += 1
        conversations += prompt.messages is not None
        local += prompt.privacy is not None
        for name in LABELS:
            counts[name][_label(prompt, name)] += 1
    said = {name: dict(sorted(found.items(), key=_order)) for name, found in counts.items()}
    return Counts(total, conversations, local, **said)


def _label(prompt: Prompt, name: str) -> str:
    if name == "check":
        return NONE if prompt.check is None else str(prompt.check.get("grader", "?"))
    value = getattr(prompt, name)
    return NONE if value is None else str(value)


def _order(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
