"""Where a prompt can be answered, and what may stand against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from edgewise.domain.energy import Joules
from edgewise.domain.errors import NoEligibleCandidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Location = Literal["edge", "cloud"]
Trust = Literal["device", "site", "cloud"]
CandidateKind = Literal["chat", "classifier"]
Rule = Literal["pin", "capability", "privacy", "connectivity", "resources", "budget", "latency", "allow"]


class Price(Struct, frozen=True):
    """USD per million input and output tokens, and beside that for each call."""

    input: float
    output: float
    per_query: float = 0.0

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """The price of one call with so many tokens, in USD."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000 + self.per_query


class Capabilities(Struct, frozen=True):
    """What a candidate can take. `context_tokens` is None where nobody knows."""

    tools: bool = True
    vision: bool = False
    json_schema: bool = True
    context_tokens: int | None = None


class Candidate(Struct, frozen=True):
    """One place where a prompt can be answered.

    `price` is None for an *unpriced* candidate, a state of its own that never counts as free.
    `model` is what the endpoint calls it. `power_watts` is the draw while it answers,
    `joules_per_token` what it takes for each, where known.
    `region` and `tags` are the operator's own words, which rules and callers may refer to. `task` is what a
    classifier labels texts for, where the configuration tells several such tasks apart by name.
    """

    id: str
    location: Location
    trust: Trust
    kind: CandidateKind = "chat"
    model: str = ""
    endpoint: str = ""
    price: Price | None = None
    capabilities: Capabilities = Capabilities()
    simulated: bool = False
    power_watts: float | None = None
    joules_per_token: Joules | None = None
    region: str = ""
    tags: dict[str, str] = {}
    task: str = ""


class Objection(Struct, frozen=True, omit_defaults=True):
    """Why one candidate may not answer, or should rather not: which rule says so, in one sentence.

    A hard objection (`penalty` None) removes the candidate; a soft one costs it `penalty` of utility,
    which is in the objective's unit.
    """

    candidate: str
    rule: Rule
    sentence: str
    penalty: float | None = None


class Shortlist(Struct, frozen=True):
    """The candidates with no objection. Never empty. `penalties` are the utility that soft rules cost."""

    candidates: tuple[Candidate, ...]
    penalties: dict[str, float] = {}

    @classmethod
    def of(cls, candidates: Sequence[Candidate], objections: Sequence[Objection]) -> Shortlist:
        """Keep the candidates that nobody objects to for good; raise `NoEligibleCandidate` if none is left.

        Soft objections to one candidate add up.
        """
        if not objections:
            kept = tuple(candidates)
            if not kept:
                raise NoEligibleCandidate(())
            return cls(kept)
        out = {objection.candidate for objection in objections if objection.penalty is None}
        kept = tuple(c for c in candidates if c.id not in out)
        if not kept:
            raise NoEligibleCandidate(objections)
        penalties: dict[str, float] = {}
        for objection in objections:
            if objection.penalty is not None and objection.candidate not in out:
                said = penalties.get(objection.candidate, 0.0)
                penalties[objection.candidate] = said + objection.penalty
        return cls(kept, penalties)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def __len__(self) -> int:
        return len(self.candidates)

    def __contains__(self, candidate_id: object) -> bool:
        return any(c.id == candidate_id for c in self.candidates)

    def at(self, location: Location) -> Candidate | None:
        """The first candidate at `location`, if one is left: of those with the smallest penalty."""
        found: Candidate | None = None
        for candidate in self.candidates:
            if candidate.location == location and (
                found is None or self.penalty(candidate) < self.penalty(found)
            ):
                found = candidate
        return found

    def penalty(self, candidate: Candidate) -> float:
        """The utility that soft objections cost this candidate; mostly 0."""
        return self.penalties.get(candidate.id, 0.0) if self.penalties else 0.0
