"""What every policy must keep to: run this over your own."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, is_dataclass
from math import isclose, isfinite
from typing import TYPE_CHECKING, Any, get_args

from edgewise.domain.decisions import TOLERANCE, Odds, Reason

if TYPE_CHECKING:
    from edgewise.domain.protocols import Policy
    from edgewise.domain.requests import Situation


def check_policy(policy: Policy, situation: Situation) -> Odds:
    """Assert that the policy's odds for one situation are sound, and give them back.

    They cover the shortlist in its order and sum to 1; the same situation gives the same odds and is not
    changed; forecasts are only about candidates of the shortlist; the reason is one of the closed set;
    the evidence is finite. Raises AssertionError with what was found.
    """
    before = _frozen(situation)
    name = policy.name
    odds = policy.odds(situation)
    again = policy.odds(situation)

    assert name, "a policy needs a name: the log tells decisions apart by it"
    assert policy.name == name, f"the name changed from {name!r} to {policy.name!r} by being used"
    assert _frozen(situation) == before, f"{name} changed the situation that it was given"
    assert again == odds, f"{name} gave {odds} and then {again} for one situation"

    ids = [candidate.id for candidate in situation.shortlist]
    assert list(odds.by_id) == ids, f"{name} gave odds for {list(odds.by_id)}, the shortlist is {ids}"
    assert all(p >= 0.0 for p in odds.by_id.values()), f"{name} gave negative odds: {odds.by_id}"
    total = sum(odds.by_id.values())
    assert isclose(total, 1.0, abs_tol=TOLERANCE), f"the odds of {name} sum to {total}, not to 1"

    strangers = sorted(set(odds.forecasts) - set(ids))
    assert not strangers, f"{name} forecasts for {strangers}, which are not on the shortlist"
    assert odds.reason in get_args(Reason), f"{name} gave the reason {odds.reason!r}, which is not in the set"
    assert 0.0 <= odds.exploration <= 1.0 + TOLERANCE, f"{name} explores {odds.exploration}, not 0 to 1"
    wild = {key: value for key, value in odds.evidence.items() if not isfinite(value)}
    assert not wild, f"{name} gave evidence that is no number: {wild}"
    return odds


def _frozen(situation: Situation) -> Any:
    """All that a policy could change, in a form that compares by value (an array becomes its bytes)."""
    features, vector = situation.features, situation.features.vector
    return (
        dict(features.named),
        _frozen_vector(vector),
        features.version,
        situation.shortlist.candidates,
        dict(situation.shortlist.penalties),
        situation.signals,
    )


def _frozen_vector(vector: Any) -> Any:
    """Arrays, and records of arrays, as their bytes; anything else as a copy."""
    if is_dataclass(vector):
        return tuple(_frozen_vector(getattr(vector, part.name)) for part in fields(vector))
    try:
        return bytes(memoryview(vector))
    except TypeError:
        return deepcopy(vector)
