"""All that the log knows about one decision."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins

from edgewise.domain.decisions import Attempt, Decision, Feedback, Outcome
from edgewise.domain.feedback import agreed
from edgewise.domain.ids import shadow_id


class Story(Struct, frozen=True, kw_only=True):
    """A decision, how it ended (None while it is under way), and what was said of it since.

    `shadow` is the story of the answer that its shadow gave, where that was asked; it stands in the log for
    itself, too. `seq` is its place in the log: a later commit has a larger one.
    """

    decision: Decision
    outcome: Outcome | None = None
    feedback: tuple[Feedback, ...] = ()
    shadow: Story | None = None
    seq: int = 0

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The calls that were made, in order."""
        return self.outcome.attempts if self.outcome else ()

    @property
    def quality(self) -> float | None:
        """The quality (0 to 1) that the most trusted feedback comes to, or None where nobody named one."""
        found = agreed(self.feedback)
        return None if found is None else found[0]

    @property
    def judged_by(self) -> str | None:
        """Whose word `quality` is: a `source` of feedback."""
        found = agreed(self.feedback)
        return None if found is None else found[1]


def as_json(story: Story) -> dict[str, Any]:
    """A story as plain data: the decision's own fields at the top level, and beside them what followed.

    Those are `attempts`, `outcome` (or None) and `feedback`; the shape of `GET /v1/decisions/{id}`. Within
    `shadow`, where that is asked too, the same three stand with the `id` of its own record.
    """
    told: dict[str, Any] = to_builtins(story.decision)
    told |= _followed(story)
    del told["vector"]  # kilobytes for machines; its version tells that it is there
    if story.decision.shadow is not None and story.decision.shadow.ask:
        told["shadow"] |= {"id": shadow_id(story.decision.id), **_followed(story.shadow)}
    return told


def _followed(story: Story | None) -> dict[str, Any]:
    if story is None:
        return {"attempts": [], "outcome": None, "feedback": []}
    outcome: dict[str, Any] | None = to_builtins(story.outcome)
    attempts: list[Any] = outcome.pop("attempts") if outcome else []
    return {"attempts": attempts, "outcome": outcome, "feedback": to_builtins(story.feedback)}
