"""What the log comes to: who answered where and why, what it cost, and what the cloud alone would have cost.

The published hybrid system's statistics, made right: its savings did not follow from its own costs. Here
nothing is assumed. A query costs what all of its calls cost together, a cloud that was asked in vain and an
edge whose answer was not good enough included; what the cloud alone would have cost is the mean of what its
calls really did cost, for each query that was answered.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgewise.domain.candidates import Location
    from edgewise.domain.decisions import Attempt, Decision, Outcome
    from edgewise.domain.stories import Story

UNKNOWN = ""  # where a candidate stands that the log alone does not tell
P95 = 0.95


class Latency(Struct, frozen=True):
    """Seconds from a query's arrival to its answer."""

    mean_s: float
    p50_s: float
    p95_s: float


class Statistics(Struct, frozen=True):
    """Numbers of some part of the log. Shares are None where there is nothing to divide by.

    `queries` are what clients asked: `answered`, `failed` (an outcome without an answer) and `refused`
    (nobody might answer); `edge_share` and `cloud_share` are of those answered, `escalated` are those that
    the edge was asked for first and the cloud answered. `cost_usd` is what all calls cost, of which
    `shadow_usd` went to answers that no client saw; `unpriced` queries are in no sum. `cloud_call_usd` is the
    mean recorded cost of a cloud's answer, from `cloud_calls`, or what the caller stated; `cloud_only_usd` is
    that for each answered query, and `saved_share` what is saved against it (below 0: it costs more).
    `most_saved_share` is the arithmetic limit: the share that the edge answers, were the edge free; None
    where a stated baseline is not what the cloud's answers cost.
    """

    queries: int
    answered: int
    failed: int
    refused: int
    edge_share: float | None
    cloud_share: float | None
    escalated: int
    reasons: dict[str, int]
    candidates: dict[str, int]
    cost_usd: float
    shadow_usd: float
    unpriced: int
    usd_per_query: float | None
    cloud_call_usd: float | None
    cloud_calls: int
    cloud_only_usd: float | None
    saved_usd: float | None
    saved_share: float | None
    most_saved_share: float | None
    latency: Latency | None


def statistics(
    stories: Iterable[Story],
    places: Mapping[str, Location],
    *,
    labels_only: bool = False,
    cloud_call_usd: float | None = None,
) -> Statistics:
    """Count `stories`, each once. `places` says where candidates stand; what is not in it the log tells.

    With `labels_only` chats are left out. `cloud_call_usd` is a cloud's price for a query where none was
    asked, or where another baseline is meant than the recorded one.
    """
    count = _Count(dict(places))
    for story in stories:
        if not labels_only or story.decision.task is not None:
            count.add(story.decision, story.outcome)
    return count.told(cloud_call_usd)


class _Count:
    """What adds up."""

    def __init__(self, places: dict[str, Location]) -> None:
        self.places: dict[str, str] = dict(places)
        self.queries = self.failed = self.refused = self.unpriced = 0
        self.cost_usd = self.shadow_usd = 0.0
        self.reasons: Counter[str] = Counter()
        self.answerers: Counter[str] = Counter()
        self.ways: Counter[tuple[str, str]] = Counter()  # who was asked first, who answered
        self.paid: Counter[str] = Counter()
        self.spent: dict[str, float] = {}
        self.latencies: list[float] = []

    def add(self, decision: Decision, outcome: Outcome | None) -> None:
        if decision.chosen and decision.location:
            self.places.setdefault(decision.chosen, decision.location)
        if decision.shadow_of is not None:
            self.shadow_usd += (outcome.cost_usd or 0.0) if outcome else 0.0
            return
        self.queries += 1
        if not decision.chosen:
            self.refused += 1
        elif outcome is not None:
            self._ended(decision, outcome)

    def _ended(self, decision: Decision, outcome: Outcome) -> None:
        self.unpriced += outcome.cost_state == "unpriced"
        self.cost_usd += outcome.cost_usd or 0.0
        for attempt in outcome.attempts:
            self._paid(attempt)
        if outcome.status != "ok":
            self.failed += 1
            return
        self.reasons[decision.reason if outcome.candidate == decision.chosen else "fallback"] += 1
        self.answerers[outcome.candidate] += 1
        first = outcome.attempts[0].candidate if outcome.attempts else outcome.candidate
        self.ways[first, outcome.candidate] += 1
        self.latencies.append(outcome.latency_s)

    def _paid(self, attempt: Attempt) -> None:
        if attempt.status == "ok" and attempt.cost_usd is not None and attempt.cost_state != "unpriced":
            self.paid[attempt.candidate] += 1
            self.spent[attempt.candidate] = self.spent.get(attempt.candidate, 0.0) + attempt.cost_usd

    def told(self, cloud_call_usd: float | None) -> Statistics:
        answered = sum(self.answerers.values())
        edge = sum(count for name, count in self.answerers.items() if self._at(name, "edge"))
        cloud = sum(count for name, count in self.answerers.items() if self._at(name, "cloud"))
        calls = sum(count for name, count in self.paid.items() if self._at(name, "cloud"))
        is_stated = cloud_call_usd is not None
        if cloud_call_usd is None and calls:
            cloud_call_usd = sum(usd for name, usd in self.spent.items() if self._at(name, "cloud")) / calls
        cost = self.cost_usd + self.shadow_usd
        alone = cloud_call_usd * answered if cloud_call_usd is not None and answered else None
        return Statistics(
            queries=self.queries,
            answered=answered,
            failed=self.failed,
            refused=self.refused,
            edge_share=_share(edge, answered),
            cloud_share=_share(cloud, answered),
            escalated=sum(
                n for (a, b), n in self.ways.items() if self._at(a, "edge") and self._at(b, "cloud")
            ),
            reasons=dict(self.reasons.most_common()),
            candidates=dict(self.answerers.most_common()),
            cost_usd=cost,
            shadow_usd=self.shadow_usd,
            unpriced=self.unpriced,
            usd_per_query=_share(cost, answered),
            cloud_call_usd=cloud_call_usd,
            cloud_calls=calls,
            cloud_only_usd=alone,
            saved_usd=None if alone is None else alone - cost,
            saved_share=None if not alone else 1.0 - cost / alone,
            most_saved_share=None if is_stated and calls else _share(edge, answered),
            latency=_latency(self.latencies),
        )

    def _at(self, candidate: str, place: Location) -> bool:
        return self.places.get(candidate, UNKNOWN) == place


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _latency(seconds: list[float]) -> Latency | None:
    if not seconds:
        return None
    ranked = sorted(seconds)
    middle, late = (ranked[max(0, ceil(share * len(ranked)) - 1)] for share in (0.5, P95))
    return Latency(sum(ranked) / len(ranked), middle, late)
