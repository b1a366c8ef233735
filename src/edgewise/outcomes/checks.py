"""What every outcome log must keep to: run this over your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.ids import shadow_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import OutcomeLog
    from edgewise.domain.stories import Story


async def check_log(
    log: OutcomeLog, stories: Callable[[], Iterable[Story]], records: Sequence[Record]
) -> None:
    """Assert that an empty, open log keeps `records` as it should; `stories` reads back what it holds.

    Every record is readable, unchanged and once, as soon as its `append` has been awaited; each decision
    stands with its own outcome, feedback and shadow; a record that comes again changes nothing, not even with
    other content; the order is that of the appends. Raises AssertionError with what was found.
    """
    kept: dict[tuple[type[Record], str], Record] = {}
    for record in records:
        await log.append(record)
        kept.setdefault(_key(record), record)
        _compare(list(stories()), kept)
    if records:
        await log.append(*records)
        await log.append(*(_altered(record) for record in records))
        _compare(list(stories()), kept)
    await log.append()


def _compare(told: list[Story], kept: dict[tuple[type[Record], str], Record]) -> None:
    decisions = [record for record in kept.values() if isinstance(record, Decision)]
    found = [story.decision for story in told]
    assert found == decisions, f"the log should hold the decisions {decisions}, and holds {found}"
    for story in told:
        own = story.decision.id
        outcome = kept.get((Outcome, own))
        assert story.outcome == outcome, f"{own} ended with {outcome}, the log tells {story.outcome}"
        said = [r for r in kept.values() if not isinstance(r, Decision | Outcome) and r.decision_id == own]
        assert list(story.feedback) == said, f"{own} got {said}, the log tells {story.feedback}"
        seen = story.decision.shadow
        beside = kept.get((Decision, shadow_id(own))) if seen is not None and seen.ask else None
        told_of = None if story.shadow is None else story.shadow.decision
        assert told_of == beside, f"the shadow of {own} is {beside}, the log tells {told_of}"


def _key(record: Record) -> tuple[type[Record], str]:
    return type(record), record.decision_id if isinstance(record, Outcome) else record.id


def _altered(record: Record) -> Record:
    return replace(record, at=record.at + 1.0)
