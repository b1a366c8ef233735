"""Serving, steered: an observer of the log that hands policies with new thresholds to the router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewise.domain.decisions import Decision, Outcome
from edgewise.learning.steer.tracker import tracker_for
from edgewise.policies.canary import ARM
from edgewise.policies.steering import GAIN, GOAL, LEVEL, rewrapped, steerable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import Policy
    from edgewise.domain.stories import Story
    from edgewise.learning.steer.tracker import Tracker

EVERY: Final = 8  # requests between two new thresholds: one moves little, and a router is not rebuilt for it
RECALLED: Final = 512  # stories that a new process reads back
MOST_PENDING: Final = 10_000
NEWCOMER: Final = "newcomer"


class Steering:
    """Follows each policy that has a target, and gives it a new threshold every few requests.

    A request counts once its outcome is known, if the policy had the choice between edge and cloud: so not
    if it was pinned, private, or had an objective of its own. Both sides of a canary have thresholds of their
    own. `adopt` puts a policy in charge under a name. Called on the event loop, as an observer of the log.
    """

    def __init__(self, adopt: Callable[[str, Policy], None]) -> None:
        self._adopt = adopt
        self._policies: dict[str, Policy] = {}
        self._trackers: dict[tuple[str, bool], tuple[str, Tracker]] = {}
        self._pending: dict[str, Decision] = {}
        self._noted: dict[str, int] = {}

    def take(self, name: str, policy: Policy) -> Policy:
        """From now on follow `policy`, which goes by `name`; give it back at its thresholds.

        One that was followed under this name already keeps its own.
        """
        before = {key: found for key, found in self._trackers.items() if key[0] == name}
        for key in before:
            del self._trackers[key]

        def change(inner: Policy, path: tuple[str, ...]) -> Policy:
            tracker = tracker_for(inner) if steerable(inner) else None
            if tracker is not None:
                key = name, NEWCOMER in path
                kept = before.get(key)
                same = kept is not None and kept[0] == inner.name and kept[1].target == tracker.target
                self._trackers[key] = kept if same and kept is not None else (inner.name, tracker)
            return inner

        rewrapped(policy, change)
        self._policies[name] = policy
        return self._steered(name)

    @property
    def steers(self) -> bool:
        """Whether there is anything to follow."""
        return bool(self._trackers)

    def recall(self, stories: Iterable[Story]) -> None:
        """Go on where the process before ended: the latest stories of the log, oldest first."""
        resumed: set[int] = set()
        for story in stories:
            tracker = self._tracker(story.decision)
            if tracker is None or story.outcome is None:
                continue
            evidence = story.decision.evidence
            if evidence.get(GOAL) != tracker.target.goal:
                continue
            if id(tracker) not in resumed:
                resumed.add(id(tracker))
                tracker.resume(evidence[LEVEL])
            _note(tracker, story.decision, story.outcome)
        for name in {name for name, _ in self._trackers}:
            self._adopt(name, self._steered(name))

    def __call__(self, record: Record) -> None:
        """Take a record as it is written to the log."""
        if isinstance(record, Decision):
            if GAIN in record.evidence:
                if (
                    len(self._pending) >= MOST_PENDING
                ):  # their outcomes were lost, or they were only asked about
                    del self._pending[next(iter(self._pending))]
                self._pending[record.id] = record
        elif isinstance(record, Outcome):
            decision = self._pending.pop(record.decision_id, None)
            tracker = None if decision is None else self._tracker(decision)
            if decision is not None and tracker is not None:
                _note(tracker, decision, record)
                self._count(_slot(decision))

    def _count(self, name: str) -> None:
        noted = self._noted[name] = self._noted.get(name, 0) + 1
        if noted % EVERY == 0:
            self._adopt(name, self._steered(name))

    def _tracker(self, decision: Decision) -> Tracker | None:
        """The tracker of the policy that decided, if it is still the one that is followed."""
        if GAIN not in decision.evidence or decision.reason == "shadow":
            return None
        name, tracker = self._trackers.get((_slot(decision), decision.evidence.get(ARM) == 1.0), ("", None))
        return tracker if name in decision.policy else None

    def _steered(self, name: str) -> Policy:
        def change(inner: Policy, path: tuple[str, ...]) -> Policy:
            found = self._trackers.get((name, NEWCOMER in path))
            if not steerable(inner) or found is None or found[0] != inner.name:
                return inner
            return inner.steered(found[1].steer)

        return rewrapped(self._policies[name], change)


def _slot(decision: Decision) -> str:
    """The name of the policy that a request asked for."""
    return decision.model.removeprefix("auto:")


def _note(tracker: Tracker, decision: Decision, outcome: Outcome) -> None:
    tracker.note(decision.evidence[GAIN], cloud=decision.location == "cloud", usd=outcome.cost_usd)
