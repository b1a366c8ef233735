"""What another policy would have done: the same prompt, the same shortlist, the same world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from edgewise.domain.candidates import Shortlist
from edgewise.domain.decisions import Odds
from edgewise.domain.errors import EdgewiseError
from edgewise.domain.requests import Request, Situation
from edgewise.domain.signals import Signal
from edgewise.policies import settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.domain.decisions import Decision
    from edgewise.domain.requests import Features
    from edgewise.domain.signals import Signals
    from edgewise.router import Router


class Otherwise(Struct, frozen=True):
    """What the policy `name` makes of it: odds without exploration, or in `error` why it cannot say."""

    name: str
    odds: Odds | None = None
    error: str | None = None


def can_tell(decision: Decision, router: Router) -> str | None:
    """Why nobody can say what others would have done, in a sentence; None where they can."""
    if decision.prompt is None:
        return "The prompt's text was not kept ([store] prompts), so no other policy can read it."
    if not decision.shortlist:
        return "Nobody was eligible, so no policy had a choice."
    known = {candidate.id for candidate in router.candidates}
    if gone := [name for name in decision.shortlist if name not in known]:
        return f"Of those who could answer then, {', '.join(gone)} is no longer configured."
    return None


async def otherwise(decision: Decision, router: Router) -> list[Otherwise]:
    """What each policy of the router, as it is now, makes of a decision that `can_tell` lets pass."""
    prompt = decision.prompt or ""
    request = Request(decision.id, prompt, prompt, b"")
    try:
        features = await router.featurizer.describe(request)
    except EdgewiseError as error:
        return [Otherwise(name, error=str(error)) for name in router.policies]
    situation = _situation(decision, router, features)
    return [_asked(name, router, situation) for name in router.policies]


def _asked(name: str, router: Router, situation: Situation) -> Otherwise:
    try:
        return Otherwise(name, settled(router.policies[name]).odds(situation))
    except Exception as error:  # noqa: BLE001 - a plug-in's policy may fail in any way
        return Otherwise(name, error=str(error) or type(error).__name__)


def _situation(decision: Decision, router: Router, features: Features) -> Situation:
    by_id = {candidate.id: candidate for candidate in router.candidates}
    penalties: dict[str, float] = {}
    for objection in decision.objections:
        if objection.penalty is not None and objection.candidate in decision.shortlist:
            held = penalties.get(objection.candidate, 0.0)
            penalties[objection.candidate] = held + objection.penalty
    return Situation(
        features,
        Shortlist(tuple(by_id[name] for name in decision.shortlist), penalties),
        _world(decision.signals, decision.at),
        decision.objective,
        decision.session or decision.id,
    )


def _world(values: Mapping[str, float], at: float) -> Signals:
    """The signals of that moment. The log keeps their values; what was known then was no mystery."""
    return {name: Signal(name, value, "", at, "log", "normal") for name, value in values.items()}
