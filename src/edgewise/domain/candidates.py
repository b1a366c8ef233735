"""Where a prompt can be answered, and what may stand against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from edgewise.domain.errors import NoEligibleCandidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Location = Literal["edge", "cloud"]
Trust = Literal["device", "site", "cloud"]
CandidateKind = Literal["chat", "classifier"]
Rule = Literal["pin", "capability", "privacy", "connectivity", "resources", "budget", "latency", "allow"]


class Price(Struct, frozen=True):
    """USD per million input and output tokens."""

    input: float
    output: float

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """The price of so many tokens, in USD."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


class Capabilities(Struct, frozen=True):
    """What a candidate can take. `context_tokens` is None where nobody knows."""

    tools: bool = True
    vision: bool = False
    json_schema: bool = True
    context_tokens: int | None = None


class Candidate(Struct, frozen=True):
    """One place where a prompt can be answered.

    `price` is None for an *unpriced* candidate, a state of its own that never counts as free.
    `model` is what the endpoint calls it. `power_watts` is the draw while it answers, if known.
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


class Objection(Struct, frozen=True):
    """Why one candidate may not answer: which rule says so, in one sentence."""

    candidate: str
    rule: Rule
    sentence: str


class Shortlist(Struct, frozen=True):
    """The candidates with no objection. Never empty. `penalties` are the utility that soft rules cost."""

    candidates: tuple[Candidate, ...]
    penalties: dict[str, float] = {}

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        objections: Sequence[Objection],
        penalties: Mapping[str, float] | None = None,
    ) -> Shortlist:
        """Keep the candidates that nobody objects to, or raise `NoEligibleCandidate` with every objection."""
        out = {objection.candidate for objection in objections}
        kept = tuple(c for c in candidates if c.id not in out) if out else tuple(candidates)
        if not kept:
            raise NoEligibleCandidate(objections)
        return cls(kept, dict(penalties) if penalties else {})

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def __len__(self) -> int:
        return len(self.candidates)

    def __contains__(self, candidate_id: object) -> bool:
        return any(c.id == candidate_id for c in self.candidates)

    def at(self, location: Location) -> Candidate | None:
        """The first candidate at `location`, if one is left."""
        for candidate in self.candidates:
            if candidate.location == location:
                return candidate
        return None
