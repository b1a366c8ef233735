"""What every constraint must keep to: run this over your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from edgewise.domain.candidates import Objection, Rule
from edgewise.domain.signals import NO_SIGNALS

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate
    from edgewise.domain.protocols import Constraint
    from edgewise.domain.requests import Request
    from edgewise.domain.signals import Signals


def check_constraint(
    constraint: Constraint, request: Request, candidate: Candidate, signals: Signals = NO_SIGNALS
) -> Objection | None:
    """Assert that the constraint's word on one candidate is sound, and give it back.

    An objection is about the candidate that was asked about, under a rule of the closed set, in one
    sentence of one line without a full stop (it is put into lists); asked twice, the constraint says the
    same and leaves the signals alone. Raises AssertionError with what was found.
    """
    name = type(constraint).__name__
    before = dict(signals)
    objection = constraint.objection(request, candidate, signals)
    again = constraint.objection(request, candidate, signals)

    assert again == objection, f"{name} said {objection} and then {again} of one candidate"
    assert dict(signals) == before, f"{name} changed the signals that it was given"
    if objection is None:
        return None
    about = objection.candidate
    assert about == candidate.id, f"{name} was asked about {candidate.id!r} and objected to {about!r}"
    assert objection.rule in get_args(Rule), f"{name} gave the rule {objection.rule!r}, not one of the set"
    sentence = objection.sentence
    assert sentence.strip(), f"{name} objected to {candidate.id!r} without a word"
    assert sentence == sentence.strip().rstrip("."), f"{name} must not end in a full stop: {sentence!r}"
    assert "\n" not in sentence, f"{name} took more than one line: {sentence!r}"
    return objection
