"""A decision's story as the API tells it: its own fields at the top level, what followed beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from edgewise.domain.stories import Story


def as_json(story: Story) -> dict[str, Any]:
    """`odds`, `forecasts`, `objections`, `attempts`, `outcome` and `feedback`, all at the top level."""
    told: dict[str, Any] = msgspec.to_builtins(story.decision)
    outcome: dict[str, Any] | None = msgspec.to_builtins(story.outcome)
    told["attempts"] = outcome.pop("attempts") if outcome else []
    told["outcome"] = outcome
    told["feedback"] = msgspec.to_builtins(story.feedback)
    return told
