"""Ask every constraint about every candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.constraints.circuit import Circuit
from edgewise.domain.candidates import Objection, Shortlist
from edgewise.domain.signals import NO_SIGNALS

LAST_RESORT = 0.0  # of equals in trouble the policy chooses as it always does

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Constraint
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


def shortlist(
    request: Request,
    candidates: Sequence[Candidate],
    constraints: Sequence[Constraint],
    signals: Signals = NO_SIGNALS,
    *,
    best_effort: bool = False,
) -> tuple[Shortlist, tuple[Objection, ...]]:
    """The candidates that nobody objects to, in their order, and every objection by candidate.

    A candidate may have several objections: the explanation shall hold all of them. Raises
    NoEligibleCandidate, which carries them, where nobody is left. Then those whom only an open circuit
    speaks against stay (the last candidate is never ejected), and with `best_effort` those whom only
    `resources` speaks against, at a price; no other rule ever gives way. A constraint that fails
    objects: what it would have said is not known, and it may have been no.
    """
    objections: list[Objection] = []
    for candidate in candidates:
        for constraint in constraints:
            try:
                objection = constraint.objection(request, candidate, signals)
            except Exception as error:  # noqa: BLE001 - it may be anybody's
                objection = _failed(constraint, candidate, error)
            if objection is not None:
                objections.append(objection)
    if objections and _is_nobody_left(candidates, objections):
        circuits = [c for c in constraints if isinstance(c, Circuit)]
        objections = _spared(request, candidates, circuits, signals, objections)
        if best_effort:
            objections = _softened(candidates, objections)
    return Shortlist.of(candidates, objections), tuple(objections)


def _is_nobody_left(candidates: Sequence[Candidate], objections: list[Objection]) -> bool:
    hard = {objection.candidate for objection in objections if objection.penalty is None}
    return len(hard) == len(candidates)


def _spared(
    request: Request,
    candidates: Sequence[Candidate],
    circuits: Sequence[Circuit],
    signals: Signals,
    objections: list[Objection],
) -> list[Objection]:
    """The objections; where nobody is left, open circuits speak only softly."""
    open_ones = [
        said
        for candidate in candidates
        for circuit in circuits
        if (said := circuit.objection(request, candidate, signals)) is not None
    ]
    others = {o.candidate for o in objections if o.penalty is None and o not in open_ones}
    return [
        Objection(o.candidate, o.rule, o.sentence, LAST_RESORT)
        if o in open_ones and o.candidate not in others
        else o
        for o in objections
    ]


def _failed(constraint: Constraint, candidate: Candidate, error: Exception) -> Objection:
    """The objection of a constraint that could not say what it thinks."""
    name = type(constraint).__name__
    return Objection(candidate.id, "allow", f"The constraint {name} failed with {type(error).__name__}")


def _softened(candidates: Sequence[Candidate], objections: list[Objection]) -> list[Objection]:
    """The objections, those of `resources` made soft if otherwise nobody would be left."""
    if not _is_nobody_left(candidates, objections):
        return objections
    hard = [objection for objection in objections if objection.penalty is None]
    barred = {objection.candidate for objection in hard if objection.rule != "resources"}
    return [
        Objection(o.candidate, o.rule, o.sentence, LAST_RESORT)
        if o.penalty is None and o.rule == "resources" and o.candidate not in barred
        else o
        for o in objections
    ]
