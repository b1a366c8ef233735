"""Counts the traffic as Prometheus wants it, in a few microseconds a request and in bounded memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, get_args

from edgewise.domain.decisions import Decision, Feedback, Outcome, Reason
from edgewise.domain.feedback import quality_of
from edgewise.monitors.metrics.exposition import UNLABELLED, counted, spread_out
from edgewise.monitors.metrics.places import Place, place_families
from edgewise.monitors.metrics.spread import DECISION_S, OVERHEAD_S, QUALITY, Spread
from edgewise.monitors.production.tally import fell_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.candidates import Location
    from edgewise.domain.decisions import Record
    from edgewise.monitors.metrics.exposition import Family

NONE: Final = "none"  # nobody answered
OTHER: Final = "other"  # what is not in the closed set, or one too many
UNKNOWN: Final = "unknown"  # the decision was too long ago
MOST_POLICIES: Final = 64  # a bundle that is deployed brings a name of its own
MOST_OPEN: Final = 10_000  # decisions whose outcome may still come; those of /v1/route have none
BATCH: Final = 1024
REASONS: Final = frozenset(get_args(Reason))


class _Chosen:
    """Requests that one policy decided for one reason: `ends` by who ended them, and how."""

    __slots__ = ("decided", "ends", "policy", "reason")

    def __init__(self, policy: str, reason: str, decided: Spread) -> None:
        self.policy, self.reason, self.decided = policy, reason, decided.add
        self.ends: dict[tuple[str, str], _End] = {}


class _End:
    """Requests that went the same way, from the choice to the end."""

    __slots__ = ("fallbacks", "labels", "place", "requests")

    def __init__(self, chosen: _Chosen, place: Place, outcome: str) -> None:
        self.place = place
        self.labels = {
            **place.labels, "policy": chosen.policy, "reason": chosen.reason, "outcome": outcome,
        }  # fmt: skip
        self.requests = self.fallbacks = 0


class Traffic:
    """`observe` each record, on one thread; `families` are what has been counted since the start.

    `locations` are the candidates that labels may name: every other is "other". No label holds anything that
    a client said.
    """

    def __init__(self, locations: Mapping[str, Location]) -> None:
        self._places = {name: Place(name, location) for name, location in locations.items()}
        self._policies: dict[str, Spread] = {}
        self._chosen: dict[tuple[str, str], _Chosen] = {}
        self._lost = _Chosen(UNKNOWN, UNKNOWN, Spread(DECISION_S))
        self._open: dict[str, _Chosen | None] = {}  # None: a shadow's
        self._overhead, self._quality = Spread(OVERHEAD_S), Spread(QUALITY)
        self._left = BATCH  # decisions until the histograms are brought up to date

    def observe(self, record: Record) -> None:
        """Count a record that has just been written."""
        if type(record) is Outcome:  # isinstance() takes three times as long to say no
            self._ended(record)
        elif type(record) is Decision:
            self._decided(record)
        elif isinstance(record, Feedback):
            self._said(record)

    def families(self) -> list[Family]:
        """Everything, as Prometheus reads it."""
        ends = [end for chosen in (*self._chosen.values(), self._lost) for end in chosen.ends.values()]
        took_over: Counter[Place] = Counter()
        for end in ends:
            took_over[end.place] += end.fallbacks
        return [
            counted("edgewise_requests_total", [(end.labels, end.requests) for end in ends]),
            counted("edgewise_fallbacks_total", [(p.labels, took_over[p]) for p in self._places.values()]),
            *place_families(list(self._places.values())),
            spread_out("edgewise_overhead_seconds", [(UNLABELLED, self._overhead)]),
            spread_out("edgewise_decision_seconds", [({"policy": p}, s) for p, s in self._policies.items()]),
            spread_out("edgewise_quality", [(UNLABELLED, self._quality)]),
        ]

    def _decided(self, decision: Decision) -> None:
        chosen = self._chosen.get((decision.policy, decision.reason)) or self._choice(decision)
        if decision.shadow_of is None:
            self._open[decision.id] = chosen
            chosen.decided(decision.micros * 1e-6)
        else:
            self._open[decision.id] = None
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._left -= 1
        if not self._left:
            self._settle()

    def _ended(self, outcome: Outcome) -> None:
        candidate, attempts = outcome.candidate, outcome.attempts
        places = self._places
        for attempt in attempts:
            (places.get(attempt.candidate) or self._place(attempt.candidate)).called(attempt)
        chosen = self._open.pop(outcome.decision_id, self._lost)
        if chosen is None:
            self._place(candidate).shadows[outcome.status] += 1
            return
        end = chosen.ends.get((candidate, outcome.status)) or self._end(chosen, outcome)
        end.requests += 1
        place = end.place
        if outcome.status == "ok":
            took, first = outcome.latency_s, outcome.ttft_s
            place.duration.add(took)
            if first is not None:
                place.first_token.add(first)
            if len(attempts) == 1:
                self._overhead.add(took - attempts[0].latency_s)
            elif fell_back(outcome):
                end.fallbacks += 1
        read, wrote, cost = outcome.input_tokens, outcome.output_tokens, outcome.cost_usd
        if read is not None:
            place.input_tokens.add(read)
        if wrote is not None:
            place.output_tokens.add(wrote)
        if cost is not None and candidate:
            place.cost.add(cost)

    def _settle(self) -> None:
        """Bring the histograms up to date before too much waits in them."""
        self._left = BATCH
        for place in self._places.values():
            place.settle()
        for spread in (*self._policies.values(), self._overhead, self._quality):
            spread.settle()

    def _said(self, said: Feedback) -> None:
        quality = quality_of(said)
        if quality is not None:
            self._quality.add(quality)
            self._quality.settle()  # it is rare, and decisions may be rarer

    def _choice(self, decision: Decision) -> _Chosen:
        """A new pair of policy and reason, within the closed set of labels."""
        policy = decision.policy
        if policy not in self._policies and len(self._policies) >= MOST_POLICIES:
            policy = OTHER
        reason = decision.reason if decision.reason in REASONS else OTHER
        found = self._chosen.get((policy, reason))
        if found is None:
            decided = self._policies.setdefault(policy, Spread(DECISION_S))
            found = self._chosen[policy, reason] = _Chosen(policy, reason, decided)
        return found

    def _end(self, chosen: _Chosen, outcome: Outcome) -> _End:
        place = self._place(outcome.candidate)
        key = place.labels["candidate"], outcome.status
        found = chosen.ends.get(key)
        if found is None:
            found = chosen.ends[key] = _End(chosen, place, outcome.status)
        return found

    def _place(self, candidate: str) -> Place:
        """A candidate's counts; whoever is not configured is "other", and nobody is "none"."""
        found = self._places.get(candidate)
        if found is None:
            name = OTHER if candidate else NONE
            found = self._places.get(name) or self._places.setdefault(name, Place(name, name))
        return found
