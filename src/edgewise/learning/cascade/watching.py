"""An observer of the log that sees whether what was promised of a classifier still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.ids import shadow_id
from edgewise.policies.cascade.policy import WATCHED
from edgewise.policies.cascade.vigil import Bets, Vigilance, bets, loss_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgewise.domain.decisions import Record
    from edgewise.domain.stories import Story
    from edgewise.policies.cascade.placing import Promise

MOST_PENDING: Final = 10_000


class _Watched(NamedTuple):
    """The bets on one promise, and how much of the promised loss one disagreement is worth."""

    bets: Bets
    worth: float


class _Sampled(NamedTuple):
    """A text that shows whether the promise holds: which classifier labelled it, and how."""

    edge: str
    label: str


class Vigil:
    """Follows every promise: `promises` by the classifier that they were made of.

    A sampled text that was escalated loses nothing. One that stayed is compared with what the cloud, asked
    as a shadow, says of it: a disagreement counts for as much of the promised loss as the disagreements that
    were proven possible make of it, so that the alarm means: they are more than that. Where the cloud does
    not answer, the text shows nothing. Called on the event loop, as an observer of the log.
    """

    def __init__(self, promises: Mapping[str, Promise]) -> None:
        self._by_edge = {
            name: _Watched(bets(found.max_loss, found.confidence), _worth(found))
            for name, found in promises.items()
            if found.proven
        }
        self._decided: dict[str, Decision] = {}
        self._waiting: dict[str, _Sampled] = {}

    @property
    def states(self) -> dict[str, Vigilance]:
        """What is known of each promise by now, by classifier."""
        return {name: found.bets.seen for name, found in self._by_edge.items()}

    def warnings(self) -> list[str]:
        """A sentence for each promise that no longer holds."""
        return [f"{name}: {seen.sentence}" for name, seen in self.states.items() if seen.alarm]

    def recall(self, stories: Iterable[Story]) -> None:
        """Take up what the log tells of earlier texts, oldest first."""
        for story in stories:
            if WATCHED not in story.decision.evidence or story.outcome is None:
                continue
            self(story.decision)
            self(story.outcome)
            if story.shadow is not None and story.shadow.outcome is not None:
                self(story.shadow.outcome)

    def __call__(self, record: Record) -> None:
        """Take a record as it is written to the log."""
        if isinstance(record, Decision):
            if WATCHED in record.evidence and record.shadow_of is None:
                _forget(self._decided)
                self._decided[record.id] = record
        elif isinstance(record, Outcome):
            if (sampled := self._waiting.pop(record.decision_id, None)) is not None:
                self._compared(sampled, record)
            elif (decision := self._decided.pop(record.decision_id, None)) is not None:
                self._ended(decision, record)

    def _ended(self, decision: Decision, outcome: Outcome) -> None:
        """A sampled text has its label: note it, or wait for what the cloud says of it."""
        first = outcome.attempts[0] if outcome.attempts else None
        if first is None or first.said is None or first.candidate not in self._by_edge:
            return
        if outcome.candidate != first.candidate:
            self._by_edge[first.candidate].bets.note(0.0, asked=False)
        elif decision.shadow is not None and decision.shadow.ask:
            _forget(self._waiting)
            self._waiting[shadow_id(decision.id)] = _Sampled(first.candidate, first.said.label)

    def _compared(self, sampled: _Sampled, outcome: Outcome) -> None:
        said = outcome.attempts[-1].said if outcome.attempts else None
        if said is not None:
            found = self._by_edge[sampled.edge]
            found.bets.note(loss_of(sampled.label, said.label, {}, found.worth))


def _worth(promise: Promise) -> float:
    return min(1.0, promise.max_loss / promise.disagreement) if promise.disagreement > 0.0 else 1.0


def _forget(pending: dict[str, Any]) -> None:
    """Make room for one more: an answer that never came is forgotten first."""
    if len(pending) >= MOST_PENDING:
        del pending[next(iter(pending))]
