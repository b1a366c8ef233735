"""`[objective]`, and the objective of a key: what is wrong with them, and how requests would spell them."""

from __future__ import annotations

from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING

from edgewise.domain.errors import SettingsError
from edgewise.domain.objectives import NUMBERS, OBJECTIVES, objective_of, spelled
from edgewise.settings.complaints import Complaint, either, expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgewise.settings.schema import CandidateSettings, ObjectiveSettings


def configured_objective(settings: ObjectiveSettings) -> str | None:
    """`[objective]` as a request would spell it, or None where policies keep to their own."""
    if settings.name is None:
        return None
    return spelled(settings.name, weight=settings.weight, floor=settings.floor)


def spelling_complaints(key: str, spelling: str) -> Iterator[Complaint]:
    """What is wrong with `NAME` or `NAME:NUMBER`; the value is shown as any other, never a secret."""
    try:
        objective_of(spelling)
    except SettingsError:
        examples = "a number behind those that take one, as in cheapest-at-quality:0.8"
        yield expected(key, spelling, f"{_names(spelling.partition(':')[0])}, with {examples}")


def objective_complaints(
    objective: ObjectiveSettings, candidates: Sequence[CandidateSettings]
) -> Iterator[Complaint]:
    """What is wrong with `[objective]`."""
    name = objective.name
    if name is not None and name not in OBJECTIVES:
        yield expected("objective.name", name, _names(name))
    for field in ("weight", "floor"):
        if getattr(objective, field) is not None and NUMBERS.get(name or "") != field:
            owners = either([owner for owner, theirs in NUMBERS.items() if theirs == field])
            yield Complaint(
                f"objective.{field}", "has no effect", f"expected it only beside objective.name = {owners}"
            )
    if name is not None:
        yield from _numbers(objective)
    yield from _targets(objective, candidates)


def _numbers(objective: ObjectiveSettings) -> Iterator[Complaint]:
    if objective.weight is not None and not 0.0 <= objective.weight < inf:
        yield expected("objective.weight", objective.weight, "a number of 0 or more")
    if objective.floor is not None and not 0.0 <= objective.floor <= 1.0:
        yield expected("objective.floor", objective.floor, "a number from 0 to 1")


def _targets(objective: ObjectiveSettings, candidates: Sequence[CandidateSettings]) -> Iterator[Complaint]:
    share, budget = objective.cloud_share, objective.usd_per_1k
    if share is not None and not 0.0 <= share <= 1.0:
        yield expected("objective.cloud_share", share, "a number from 0 to 1")
    if budget is None:
        return
    if not 0.0 <= budget < inf:
        yield expected("objective.usd_per_1k", budget, "a number of 0 or more")
    if share is not None:
        yield Complaint(
            "objective.usd_per_1k", "stands beside objective.cloud_share", "expected one of them, not both"
        )
    for index, candidate in enumerate(candidates):
        if candidate.location == "cloud" and candidate.price is None:
            yield Complaint(
                f"candidates[{index}].price", "is missing", "objective.usd_per_1k counts what it costs"
            )


def _names(near: str) -> str:
    """All objectives, and the one that was probably meant."""
    found = get_close_matches(near, OBJECTIVES, 1)
    meant = f" (did you mean {found[0]}?)" if found and found[0] != near else ""
    return f"one of {', '.join(OBJECTIVES)}{meant}"
