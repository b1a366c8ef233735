"""The log of some hours in a few numbers."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from time import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Collection

    from edgewise.domain.decisions import Outcome
    from edgewise.outcomes import LogReader

HOUR_S = 3600.0


class _Tally(Struct):
    """What one candidate did."""

    answered: int = 0
    failed: int = 0
    latencies: list[float] = field(default_factory=list[float])
    cost_usd: float = 0.0
    unpriced: int = 0

    def add(self, outcome: Outcome) -> None:
        if outcome.status != "ok":
            self.failed += 1
        else:
            self.answered += 1
            self.latencies.append(outcome.latency_s)
        if outcome.cost_usd is None:
            self.unpriced += 1
        else:
            self.cost_usd += outcome.cost_usd

    def told(self) -> dict[str, Any]:
        middle = median(self.latencies) if self.latencies else None
        return {
            "answered": self.answered,
            "failed": self.failed,
            "median_latency_s": middle,
            "cost_usd": self.cost_usd,
            "unpriced": self.unpriced,
        }


def statistics(reader: LogReader, hours: float, edges: Collection[str]) -> dict[str, Any]:
    """What clients asked in the last `hours`, and who answered.

    A shadow's answers count for what they cost, and for nothing else. `edge_share` is of those answered, None
    where nobody was; `edges` are the candidates that stand there.
    """
    by_name: defaultdict[str, _Tally] = defaultdict(_Tally)
    requests = refused = edge = answered = 0
    shadow_usd = 0.0
    for story in reader.stories(after=time() - hours * HOUR_S):
        decision, outcome = story.decision, story.outcome
        if decision.shadow_of is not None:
            shadow_usd += (outcome.cost_usd or 0.0) if outcome is not None else 0.0
            continue
        requests += 1
        refused += not decision.chosen
        if outcome is None or not outcome.candidate:
            continue
        by_name[outcome.candidate].add(outcome)
        if outcome.status == "ok":
            answered += 1
            edge += outcome.candidate in edges
    return {
        "hours": hours,
        "requests": requests,
        "refused": refused,
        "edge_share": edge / answered if answered else None,
        "cost_usd": shadow_usd + sum(tally.cost_usd for tally in by_name.values()),
        "candidates": {name: tally.told() for name, tally in sorted(by_name.items())},
    }
