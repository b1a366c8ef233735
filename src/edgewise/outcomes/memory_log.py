"""The log as a list: for tests, for documentation, and for a router that only decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.decisions import Decision, Feedback, Outcome
from edgewise.domain.ids import shadow_id
from edgewise.domain.stories import Story

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from edgewise.domain.decisions import Record


class _Done:
    """An awaitable that has already happened. It needs no event loop to be made."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class MemoryLog:
    """Keeps every record in `records`, in order; of a record that comes twice, the first.

    Nothing survives the process.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._seen: set[tuple[type[Record], str]] = set()

    def append(self, *records: Record) -> Awaitable[None]:
        """Keep the records; there is nothing to wait for."""
        for record in records:
            key = (type(record), record.decision_id if isinstance(record, Outcome) else record.id)
            if key not in self._seen:
                self._seen.add(key)
                self.records.append(record)
        return _Done()

    def stories(self) -> list[Story]:
        """Every decision with what followed, oldest first."""
        outcomes = {r.decision_id: r for r in self.records if isinstance(r, Outcome)}
        feedback: dict[str, list[Feedback]] = {}
        for record in self.records:
            if isinstance(record, Feedback):
                feedback.setdefault(record.decision_id, []).append(record)
        decisions = [r for r in self.records if isinstance(r, Decision)]
        told = {
            decision.id: Story(
                decision=decision,
                outcome=outcomes.get(decision.id),
                feedback=tuple(feedback.get(decision.id, ())),
                seq=seq,
            )
            for seq, decision in enumerate(decisions, start=1)
        }
        return [
            replace(story, shadow=told.get(shadow_id(name))) if _is_followed(story.decision) else story
            for name, story in told.items()
        ]


def _is_followed(decision: Decision) -> bool:
    return decision.shadow is not None and decision.shadow.ask
