"""Who shall answer, how likely that was, and what came of it: the records that both loops share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from edgewise.domain.candidates import Location, Objection
from edgewise.domain.energy import EnergyBasis
from edgewise.domain.labels import Gist

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate, Shortlist

Reason = Literal[
    "best_utility",
    "pinned",
    "only_candidate",
    "optimal_edge",
    "high_complexity",
    "low_confidence",
    "out_of_scope",
    "explored",
    "privacy",
    "offline",
    "overloaded",
    "budget",
    "capability",
    "session",
    "fallback",
    "hedge",
    "shadow",
]
CostState = Literal["billed", "estimated", "unpriced"]
AttemptStatus = Literal["ok", "error", "cancelled", "incomplete"]
OutcomeStatus = Literal["ok", "error", "cancelled", "incomplete"]
TOLERANCE = 1e-9


class Estimate(Struct, frozen=True):
    """A predicted number with the interval that it should fall into."""

    mean: float
    low: float
    high: float


class Forecast(Struct, frozen=True, omit_defaults=True):
    """What a policy expects of one candidate; a field is absent where nothing was learned about it.

    `quality` 0-1, `latency_s` seconds, `cost_usd` USD, `energy_j` joules, `utility` in the objective's unit.
    """

    quality: Estimate | None = None
    latency_s: Estimate | None = None
    cost_usd: Estimate | None = None
    energy_j: Estimate | None = None
    utility: Estimate | None = None


class Shadow(Struct, frozen=True, omit_defaults=True):
    """What another policy would have chosen, had it been in charge.

    `chosen` is its likeliest candidate; where it failed, `error` says how, and there are no odds. Where `ask`
    is set, `chosen` is asked, too, once the client has its answer; that is a decision of its own, under the
    id that `shadow_id` makes.
    """

    policy: str
    chosen: str | None = None
    odds: dict[str, float] = {}
    error: str | None = None
    forecasts: dict[str, Forecast] = {}
    ask: bool = False


class Odds(Struct, frozen=True):
    """A probability for every candidate on a shortlist, in its order, and what stands behind it.

    `by_id` is non-negative and sums to 1. `reason` is why the likeliest candidate is the likeliest;
    `evidence` are the numbers that led there, for the explanation. `exploration` is the part of the
    odds that was spread evenly rather than chosen. `drawn`, where it stands, are the odds to draw from
    once a lot has been cast (a canary's side) that `by_id` leaves open: their mean over all lots is `by_id`.
    """

    by_id: dict[str, float]
    reason: Reason = "best_utility"
    forecasts: dict[str, Forecast] = field(default_factory=dict[str, Forecast])
    evidence: dict[str, float] = field(default_factory=dict[str, float])
    exploration: float = 0.0
    drawn: dict[str, float] | None = None
    shadow: Shadow | None = None

    def __post_init__(self) -> None:
        total = 0.0
        for probability in self.by_id.values():
            if not probability >= 0.0:  # catches NaN too
                total = math.nan
            total += probability
        if not abs(total - 1.0) <= TOLERANCE:
            raise ValueError(f"odds must be non-negative and sum to 1, got {self.by_id}")

    @classmethod
    def certain(
        cls,
        choice: Candidate,
        shortlist: Shortlist,
        *,
        reason: Reason = "best_utility",
        evidence: dict[str, float] | None = None,
    ) -> Odds:
        """All the weight on one candidate of the shortlist."""
        by_id = {c.id: 1.0 if c.id == choice.id else 0.0 for c in shortlist.candidates}
        return cls(by_id, reason, {}, evidence or {})

    @classmethod
    def even(cls, shortlist: Shortlist, *, reason: Reason = "explored") -> Odds:
        """The same weight on every candidate."""
        share = 1.0 / len(shortlist)
        return cls({c.id: share for c in shortlist.candidates}, reason, exploration=1.0)

    @property
    def favourite(self) -> str:
        """The most probable candidate; the earlier one at a tie."""
        return max(self.by_id, key=self.by_id.__getitem__)

    def explored(self, rate: float) -> Odds:
        """Move `rate` of the weight to even odds, and remember that it was exploration."""
        even = rate / len(self.by_id)
        by_id = {name: (1.0 - rate) * p + even for name, p in self.by_id.items()}
        drawn = self.drawn
        if drawn is not None:
            drawn = {name: (1.0 - rate) * p + even for name, p in drawn.items()}
        spread = rate + (1.0 - rate) * self.exploration
        return Odds(by_id, self.reason, self.forecasts, self.evidence, spread, drawn, self.shadow)


class Decision(Struct, frozen=True, kw_only=True):
    """Which candidate was drawn, and how likely that draw was.

    Where nobody may answer, `chosen`, `location` and the odds are empty: only the objections tell.
    `at` is unix seconds, `micros` the time that deciding took. `shortlist`, `odds`, `forecasts` and
    `objections` stand in full, so that the decision can be explained and replayed; `signals` are the known
    values at that moment, by name. `shadow_of` is the id of
    the decision beside which this one was made; its reason is `shadow`, and no client saw its answer.
    `vector` is what a learned policy reads of the conversation, packed, and `vector_version` its features,
    where the store keeps vectors. `key` is the name of the client's key, never the key. `task` says what a
    text was labelled for ("" where the configuration names none); None: it was a chat.
    """

    id: str
    at: float
    chosen: str
    location: Location | Literal[""]
    policy: str
    reason: Reason
    propensity: float
    odds: dict[str, float]
    shortlist: tuple[str, ...]
    forecasts: dict[str, Forecast] = field(default_factory=dict[str, Forecast])
    objections: tuple[Objection, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict[str, float])
    objective: str | None = None
    model: str = "auto"
    session: str | None = None
    privacy: str | None = None
    stream: bool = False
    simulated: bool = False
    prompt: str | None = None
    prompt_hash: str | None = None
    micros: float = 0.0
    shadow: Shadow | None = None
    signals: dict[str, float] = field(default_factory=dict[str, float])
    shadow_of: str | None = None
    vector: bytes | None = None
    vector_version: str = ""
    key: str | None = None
    task: str | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """One call to one candidate. Times in seconds; `started_s` counts from the decision.

    `said` is what a classifier said of the text, short.
    `energy_j` is an estimate in joules, and `energy_basis` what it rests on.
    """

    candidate: str
    status: AttemptStatus
    started_s: float
    latency_s: float
    ttft_s: float | None = None
    http_status: int | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    cost_state: CostState = "unpriced"
    said: Gist | None = None
    energy_j: float | None = None
    energy_basis: EnergyBasis | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How a decision ended. Failures and cancellations are outcomes too.

    Times in seconds from the request's arrival, costs in USD and energy in joules over
    all attempts. `error` is a sentence; `response` is the answer's text where the store keeps texts.
    """

    decision_id: str
    at: float
    status: OutcomeStatus
    candidate: str
    latency_s: float
    ttft_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    cost_state: CostState = "unpriced"
    error: str | None = None
    response: str | None = None
    attempts: tuple[Attempt, ...] = ()
    energy_j: float | None = None


class Feedback(Struct, frozen=True, kw_only=True):
    """What a person, a program or a judge said of an answer; see `domain/feedback.py` for what it means.

    `quality`, `success`, `edit_distance` go from 0 to 1, `rating` from 1 to 5; `abandoned_s` is in seconds.
    """

    id: str
    decision_id: str
    at: float
    quality: float | None = None
    rating: float | None = None
    thumbs: Literal["up", "down"] | None = None
    comment: str | None = None
    source: str = "user"
    edit_distance: float | None = None
    correction: bool | None = None
    abandoned_s: float | None = None
    success: float | None = None


Record = Decision | Outcome | Feedback


def draw(odds: Odds, request_id: str) -> str:
    """Draw a candidate with the randomness that is already in the id: the same id draws the same.

    The id ends in at least 13 random hexadecimal digits (see `mint`).
    """
    point = int(request_id[-13:], 16) / 16**13
    weights = odds.by_id if odds.drawn is None else odds.drawn
    for name, probability in weights.items():
        point -= probability
        if point < 0.0:
            return name
    return max(weights, key=weights.__getitem__)  # only rounding gets here
