"""What is counted of one candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from edgewise.domain.decisions import AttemptStatus
from edgewise.monitors.metrics.exposition import counted, spread_out
from edgewise.monitors.metrics.spread import COST_USD, DURATION_S, TOKENS, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgewise.domain.decisions import Attempt
    from edgewise.monitors.metrics.exposition import Family

    Numbers = list[tuple[Mapping[str, str], float]]

STATUSES: Final[tuple[str, ...]] = get_args(AttemptStatus)
# Metric → the histogram of a place.
SPREADS: Final = {
    "edgewise_duration_seconds": "duration",
    "edgewise_first_token_seconds": "first_token",
    "edgewise_input_tokens": "input_tokens",
    "edgewise_output_tokens": "output_tokens",
    "edgewise_request_cost_usd": "cost",
}


class Place:
    """One candidate: its calls and their cost, and what the requests that it ended took."""

    __slots__ = (
        "attempts", "cost", "duration", "first_token", "input_tokens", "labels", "output_tokens", "shadows",
        "spent", "unpriced",
    )  # fmt: skip

    def __init__(self, candidate: str, location: str) -> None:
        self.labels: Mapping[str, str] = {"candidate": candidate, "location": location}
        self.attempts = dict.fromkeys(STATUSES, 0)
        self.shadows = dict.fromkeys(STATUSES, 0)
        self.spent = {"billed": 0.0, "estimated": 0.0}
        self.unpriced = 0
        self.duration, self.first_token, self.cost = Spread(DURATION_S), Spread(DURATION_S), Spread(COST_USD)
        self.input_tokens, self.output_tokens = Spread(TOKENS), Spread(TOKENS)

    def called(self, attempt: Attempt) -> None:
        """Count one call, and what it cost."""
        self.attempts[attempt.status] += 1
        state, cost = attempt.cost_state, attempt.cost_usd
        if state == "unpriced":
            self.unpriced += attempt.status != "error"
        elif cost:
            self.spent[state] += cost

    def settle(self) -> None:
        """Bring the histograms up to date."""
        for how in SPREADS.values():
            getattr(self, how).settle()


def place_families(places: Sequence[Place]) -> list[Family]:
    """Everything that is counted by candidate."""
    return [
        counted("edgewise_attempts_total", _labelled("outcome", places, "attempts")),
        counted("edgewise_spent_usd_total", _labelled("state", places, "spent")),
        counted("edgewise_unpriced_calls_total", [(p.labels, p.unpriced) for p in places]),
        counted("edgewise_shadow_requests_total", _labelled("outcome", places, "shadows")),
        *(
            spread_out(name, [(p.labels, getattr(p, field)) for p in places])
            for name, field in SPREADS.items()
        ),
    ]


def _labelled(label: str, places: Iterable[Place], field: str) -> Numbers:
    return [
        ({**place.labels, label: said}, number)
        for place in places
        for said, number in getattr(place, field).items()
    ]
