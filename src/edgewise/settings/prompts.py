"""What types cannot say about `[prompts]`."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from edgewise.settings.complaints import Complaint, expected
from edgewise.settings.secrecy import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.settings.looping import PromptsSettings


def prompts_complaints(prompts: PromptsSettings) -> Iterator[Complaint]:
    """Everything in this section that cannot be run."""
    for name, kind in prompts.kinds.items():
        key = f"prompts.kinds.{shown_key(name)}"
        if not name.strip() or not name.isprintable():
            yield Complaint(key, "is no name", "expected some words on one line")
        if not kind.description.strip():
            yield expected(f"{key}.description", kind.description, "some words about this kind of prompt")
        if not (isfinite(kind.share) and kind.share > 0):
            yield expected(f"{key}.share", kind.share, "a number above 0")
