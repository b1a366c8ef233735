"""Ask every constraint about every candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.candidates import Shortlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.candidates import Candidate, Objection
    from edgewise.domain.protocols import Constraint
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signal


def shortlist(
    request: Request,
    candidates: Sequence[Candidate],
    constraints: Sequence[Constraint],
    signals: Sequence[Signal] = (),
) -> tuple[Shortlist, tuple[Objection, ...]]:
    """The candidates that nobody objects to, in their order, and every objection by candidate.

    A candidate may have several objections: the explanation shall hold all of them. Raises
    NoEligibleCandidate, which carries them, where nobody is left.
    """
    objections: list[Objection] = []
    for candidate in candidates:
        for constraint in constraints:
            objection = constraint.objection(request, candidate, signals)
            if objection is not None:
                objections.append(objection)
    return Shortlist.of(candidates, objections), tuple(objections)
