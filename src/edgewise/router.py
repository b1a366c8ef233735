"""One request, start to finish. Read this file first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from edgewise.constraints import shortlist
from edgewise.domain.decisions import Decision, draw
from edgewise.domain.errors import (
    EdgewiseError,
    NoEligibleCandidate,
    RequestError,
    SettingsError,
    UnknownModel,
)
from edgewise.domain.reasons import BY_RULE, reason_for
from edgewise.domain.requests import Situation
from edgewise.domain.signals import NO_SIGNALS
from edgewise.policies import settled
from edgewise.policies.objectives import objective_of
from edgewise.policies.shadow import askable
from edgewise.sessions.trim import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgewise.domain.candidates import Candidate, Objection
    from edgewise.domain.decisions import Odds, Reason
    from edgewise.domain.protocols import Constraint, Featurizer, Policy, Screen
    from edgewise.domain.requests import Features, Request
    from edgewise.domain.signals import Signals
    from edgewise.execution import Answer, Executor, Shadows


class _Named(NamedTuple):
    """A policy and its name, which wrappers make anew each time they are asked."""

    policy: Policy
    name: str


@dataclass(frozen=True, slots=True)
class Router:
    """Screen, describe, shortlist, choose, ask, record.

    `policies` holds the default policy under "auto" and each further one under its name. `keep` says what
    of a prompt's text may be recorded: the text, its hash, or neither. `screens` see a request first,
    `signals` tells the state of the world, in microseconds; `best_effort` lets an overloaded edge answer
    where nobody else may. `shadows` asks what a shadow would have chosen; without it nobody is asked twice.
    `keep_vector` packs what a learned policy reads of the conversation, for the record; without it that is
    not kept.
    """

    candidates: Sequence[Candidate]
    featurizer: Featurizer
    constraints: Sequence[Constraint]
    policies: Mapping[str, Policy]
    executor: Executor
    keep: Callable[[str], tuple[str | None, str | None]]
    screens: Sequence[Screen] = ()
    signals: Callable[[], Signals] = field(default=lambda: NO_SIGNALS, repr=False)
    best_effort: bool = False
    shadows: Shadows | None = None
    keep_vector: Callable[[Features], bytes | None] | None = None

    _by_id: dict[str, Candidate] = field(init=False, repr=False, compare=False)
    _named: dict[str, tuple[_Named, _Named]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {c.id: c for c in self.candidates})
        object.__setattr__(self, "_named", {name: _pair(policy) for name, policy in self.policies.items()})

    def adopt(self, name: str, policy: Policy, featurizer: Featurizer | None = None) -> None:
        """From the next request on let `policy` go by `name`; requests under way keep the one before.

        `featurizer` replaces the router's own in the same step, for a policy that reads other features.
        """
        object.__setattr__(self, "policies", {**self.policies, name: policy})
        self._named[name] = _pair(policy)
        if featurizer is not None:
            object.__setattr__(self, "featurizer", featurizer)

    async def route(self, request: Request) -> Answer:
        """Answer one request; its decision and its outcome are in the log, however it ends."""
        arrived = perf_counter()
        request = await self._screened(request)
        try:
            decision = await self._decide(request)
        except NoEligibleCandidate as refused:
            await self.executor.refuse(self._refused(request, refused), refused, arrived=arrived)
            raise
        chosen = self._by_id[decision.chosen]
        if request.needs.least_tokens is not None:
            decision, request = fitted(decision, chosen, request)
        answering = self.executor.carry_out(decision, chosen, request, arrived=arrived)
        shadow = decision.shadow
        if self.shadows is None or shadow is None or not shadow.ask or not shadow.chosen:
            return await answering
        return await self.shadows.after(answering, decision, self._by_id[shadow.chosen], request)

    async def decide(self, request: Request, *, explore: bool = True) -> Decision:
        """Who should answer, and why; nobody is asked and nothing is recorded.

        `explore=False` takes the most probable candidate instead of drawing one. Raises `UnknownModel`
        and `NoEligibleCandidate`.
        """
        return await self._decide(await self._screened(request), explore=explore)

    async def _screened(self, request: Request) -> Request:
        """The request as the screens leave it: with findings, and held to what its session promised."""
        for screen in self.screens:
            request = await screen.screen(request)
        return request

    async def _decide(self, request: Request, *, explore: bool = True) -> Decision:
        arrived = perf_counter()
        wishes = request.wishes
        policy, calm = self._policy_for(request)
        if wishes.objective is not None:
            _check_objective(wishes.objective)
        if not explore or wishes.privacy or wishes.session or request.pin:
            policy = calm
        features = await self.featurizer.describe(request)
        signals = self.signals()
        kept, objections = shortlist(
            request, self.candidates, self.constraints, signals, best_effort=self.best_effort
        )
        odds = policy.policy.odds(
            Situation(
                features,
                kept,
                signals,
                wishes.objective,
                wishes.session or request.id,
                request.previous,
                request.in_tool_loop,
            )
        )
        chosen = draw(odds, request.id) if explore else odds.favourite
        if chosen not in kept:  # somebody's own policy; what was objected to is not its to choose
            raise EdgewiseError(
                f"The policy '{policy.name}' chose '{chosen}', who may not answer this request."
            )
        return self._record(
            request,
            policy.name,
            reason_for(odds, chosen, kept, objections, request),
            objections,
            chosen=self._by_id[chosen],
            odds=odds,
            features=features,
            propensity=odds.by_id[chosen] if explore else 1.0,
            micros=(perf_counter() - arrived) * 1e6,
            signals=signals,
        )

    def _refused(self, request: Request, refused: NoEligibleCandidate) -> Decision:
        """The record of a request that nobody may answer: no choice, and every objection."""
        rules = {objection.rule for objection in refused.objections}
        reasons: list[Reason] = [reason for rule, reason in BY_RULE.items() if rule in rules]
        reason = reasons[0] if reasons else "only_candidate"
        policy = self._policy_for(request)[0].name
        return self._record(request, policy, reason, refused.objections, signals=self.signals())

    def _record(  # noqa: PLR0913 - a record's parts
        self,
        request: Request,
        policy: str,
        reason: Reason,
        objections: tuple[Objection, ...],
        *,
        chosen: Candidate | None = None,
        odds: Odds | None = None,
        features: Features | None = None,
        propensity: float = 0.0,
        micros: float = 0.0,
        signals: Signals = NO_SIGNALS,
    ) -> Decision:
        """What goes into the log of a request: nobody chosen, and no odds, where nobody may answer."""
        wishes = request.wishes
        prompt, prompt_hash = self.keep(request.prompt)
        by_id = odds.by_id if odds else {}
        vector = self.keep_vector(features) if self.keep_vector and features else None
        return Decision(
            id=request.id,
            at=time(),
            chosen=chosen.id if chosen else "",
            location=chosen.location if chosen else "",
            policy=policy,
            reason=reason,
            propensity=propensity,
            odds=by_id,
            shortlist=tuple(by_id),
            forecasts=odds.forecasts if odds else {},
            objections=objections,
            evidence=_evidence(odds.evidence if odds else {}, request),
            objective=wishes.objective,
            model=wishes.model,
            session=wishes.session,
            privacy=wishes.privacy,
            stream=request.stream,
            simulated=chosen.simulated if chosen else False,
            prompt=prompt,
            prompt_hash=prompt_hash,
            micros=micros,
            shadow=askable(odds.shadow, chosen.id, request, objections) if odds and chosen else None,
            signals={s.name: s.value for s in signals.values() if s.value is not None},
            vector=vector,
            vector_version=features.vector_version if features and vector else "",
            key=request.key,
        )

    def _policy_for(self, request: Request) -> tuple[_Named, _Named]:
        """The policy that was asked for, and the same without its exploration."""
        model = request.wishes.model
        name = model[5:] if model.startswith("auto:") else "auto"
        found = self._named.get(name)
        if found is None:
            raise UnknownModel(f"There is no policy '{name[:100]}'; there are {_listed(self.policies)}.")
        pin = request.pin
        if pin is not None and pin not in self._by_id:
            near = get_close_matches(pin, list(self._by_id), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            known = _listed(self._by_id)
            raise UnknownModel(f"The model '{pin[:100]}' does not exist; there are auto, {known}.{hint}")
        return found


def _evidence(evidence: dict[str, float], request: Request) -> dict[str, float]:
    """What led to the odds, and how often each rule found something private: never what it found."""
    if not request.findings:
        return evidence
    found = Counter(f"found:{finding.rule}" for finding in request.findings)
    return {**evidence, **{name: float(times) for name, times in found.items()}}


def _pair(policy: Policy) -> tuple[_Named, _Named]:
    """A policy, and the same without its exploration."""
    calm = settled(policy)
    return _Named(policy, policy.name), _Named(calm, calm.name)


def _check_objective(spelling: str) -> None:
    """Refuse what is no objective whether or not the policy goes by one: a wish is never silently ignored."""
    try:
        objective_of(spelling)
    except SettingsError as error:
        raise RequestError(str(error), param="edgewise.objective") from None


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(name for name in names if name != "auto")
