"""The second decision of a request: the edge has answered, and a policy has read what it said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgewise.constraints import shortlist
from edgewise.domain.candidates import Shortlist
from edgewise.domain.decisions import draw
from edgewise.domain.errors import EdgewiseError, NoEligibleCandidate
from edgewise.domain.reasons import reason_for
from edgewise.domain.signals import known
from edgewise.features.serving import read_answer
from edgewise.policies.shadow import askable
from edgewise.sessions.trim import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.domain.answers import FirstAnswer
    from edgewise.domain.candidates import Objection
    from edgewise.domain.decisions import Decision
    from edgewise.domain.protocols import Constraint, Featurizer
    from edgewise.domain.requests import Request, Situation
    from edgewise.domain.signals import Signals
    from edgewise.policies.holding import Holding


@dataclass(frozen=True, slots=True)
class Again:
    """What the first decision was made of, and what it takes to make another once its answer is known.

    The one that is made here is recorded, with the odds of its own draw: given the prompt and the edge's
    answer, those say how likely it was that each of them answers.
    """

    first: Decision
    request: Request
    situation: Situation
    policy: Holding
    constraints: Sequence[Constraint]
    featurizer: Featurizer
    signals: Callable[[], Signals]

    async def decide(self, answer: FirstAnswer) -> tuple[Decision, Request]:
        """Who answers now: the one who has, or a cloud that still may; and what that one is to be asked."""
        began, request = perf_counter(), self.request
        signals = self.signals()
        kept, objections = self._still(answer.candidate, signals)
        vector = await read_answer(self.featurizer, request, answer.text)
        odds = self.policy.forecast(
            replace(self.situation, shortlist=kept, signals=signals),
            replace(answer, prompt=request.prompt, vector=vector, metadata=request.wishes.metadata),
        )
        name = draw(odds, request.id)
        chosen = next((c for c in kept if c.id == name), None)
        if chosen is None:  # somebody's own policy; what was objected to is not its to choose
            raise EdgewiseError(f"The policy '{self.first.policy}' chose '{name}', who may not answer.")
        decision = replace(
            self.first,
            chosen=name,
            location=chosen.location,
            reason=reason_for(odds, name, kept, objections, request),
            propensity=odds.by_id[name],
            odds=odds.by_id,
            shortlist=tuple(odds.by_id),
            forecasts=odds.forecasts,
            objections=objections,
            evidence=evidence_of(odds.evidence, request),
            simulated=chosen.simulated,
            micros=self.first.micros + (perf_counter() - began) * 1e6,
            signals=known(signals),
            shadow=askable(odds.shadow, name, request, objections) or self.first.shadow,
        )
        if name == answer.candidate or request.needs.least_tokens is None:
            return decision, request
        return fitted(decision, chosen, request)

    def _still(self, first: str, signals: Signals) -> tuple[Shortlist, tuple[Objection, ...]]:
        """Who has answered, and the clouds that nobody objects to by now: the edge took its time."""
        answered = next(c for c in self.situation.shortlist if c.id == first)
        clouds = [c for c in self.situation.shortlist if c.location == "cloud"]
        ids = {c.id for c in clouds}
        before = [o for o in self.first.objections if o.candidate not in ids]
        try:
            kept, found = shortlist(self.request, (answered, *clouds), self.constraints, signals)
        except NoEligibleCandidate as refused:
            kept, found = Shortlist((answered,)), refused.objections
        left = tuple(c for c in kept if c.id != first)
        penalties = {name: cost for name, cost in kept.penalties.items() if name != first}
        objections = (*before, *(o for o in found if o.candidate != first))
        return Shortlist((answered, *left), penalties), objections


def evidence_of(evidence: dict[str, float], request: Request) -> dict[str, float]:
    """What led to the odds, and how often each rule found something private: never what it found."""
    if not request.findings:
        return evidence
    found = Counter(f"found:{finding.rule}" for finding in request.findings)
    return {**evidence, **{name: float(times) for name, times in found.items()}}
