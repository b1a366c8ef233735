"""Which candidates may answer, and the sentence for each that may not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from edgewise.constraints import Capability, Pin, shortlist
from edgewise.constraints.checks import check_constraint
from edgewise.domain.candidates import Candidate, Capabilities, Objection
from edgewise.domain.errors import NoEligibleCandidate
from edgewise.domain.protocols import Constraint
from edgewise.domain.requests import Needs, Request, Wishes
from edgewise.domain.signals import Signal, Signals

EDGE = Candidate("phi", "edge", "device", capabilities=Capabilities(context_tokens=2048))
CLOUD = Candidate("gpt", "cloud", "cloud", capabilities=Capabilities(vision=True, context_tokens=128_000))
BOTH = (EDGE, CLOUD)
RULES = (Pin(), Capability())


def request(wishes: Wishes | None = None, needs: Needs | None = None) -> Request:
    return Request("req", "hi", "hi", b"", wishes or Wishes(), needs or Needs())


def objections(asked: Request, candidates: Sequence[Candidate] = BOTH) -> dict[str, str]:
    """Who is objected to, and by which rule, whether anybody is left or not."""
    try:
        found = shortlist(asked, candidates, RULES)[1]
    except NoEligibleCandidate as nobody:
        found = nobody.objections
    return {objection.candidate: objection.rule for objection in found}


@given(
    st.sampled_from(RULES),
    strategies.requests,
    strategies.candidates,
    strategies.worlds,
)
def test_every_constraint_keeps_to_the_contract(
    constraint: Constraint, asked: Request, candidate: Candidate, signals: Signals
) -> None:
    check_constraint(constraint, asked, candidate, signals)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (Wishes(), {}),
        (Wishes(model="auto:calm"), {}),
        (Wishes(model="phi"), {"gpt": "pin"}),
        (Wishes(model="gpt"), {"phi": "pin"}),
        (Wishes(model="nobody"), {"phi": "pin", "gpt": "pin"}),
        (Wishes(candidates=("phi", "gpt")), {}),
        (Wishes(candidates=("gpt",)), {"phi": "allow"}),
        (Wishes(candidates=()), {"phi": "allow", "gpt": "allow"}),
        (Wishes(model="phi", candidates=("phi",)), {"gpt": "pin"}),
        (Wishes(model="phi", candidates=("gpt",)), {"phi": "allow", "gpt": "pin"}),
        (Wishes(model="auto:calm", candidates=("gpt",)), {"phi": "allow"}),
    ],
)
def test_the_callers_choice(wishes: Wishes, expected: dict[str, str]) -> None:
    assert objections(request(wishes)) == expected


def test_the_sentences_of_the_callers_choice() -> None:
    pinned = Pin().objection(request(Wishes(model="gpt")), EDGE, {})
    assert pinned == Objection("phi", "pin", "The request is pinned to 'gpt'")
    narrowed = Pin().objection(request(Wishes(candidates=("gpt", "o3"))), EDGE, {})
    assert narrowed == Objection("phi", "allow", "The request allows only these candidates: 'gpt', 'o3'")


@pytest.mark.parametrize(
    ("needs", "sentence"),
    [
        (Needs(), None),
        (Needs(input_tokens=2048), None),
        (Needs(input_tokens=1000, output_tokens=1048), None),
        (
            Needs(input_tokens=2049),
            "Its context holds 2048 tokens, and the request needs about 2049 (2049 to read)",
        ),
        (
            Needs(input_tokens=2000, output_tokens=99),
            "Its context holds 2048 tokens, and the request needs about 2099 (2000 to read and 99 to answer)",
        ),
        (Needs(vision=True), "It takes no images, and the request brings some"),
        (Needs(tools=True), None),
    ],
)
def test_what_the_edge_can_take(needs: Needs, sentence: str | None) -> None:
    objection = Capability().objection(request(needs=needs), EDGE, {})
    assert objection == (None if sentence is None else Objection("phi", "capability", sentence))


@pytest.mark.parametrize(
    ("candidate", "needs", "sentence"),
    [
        (
            Candidate("x", "edge", "device", capabilities=Capabilities(tools=False)),
            Needs(tools=True),
            "It takes no tools, and the request brings some",
        ),
        (
            Candidate("x", "edge", "device", capabilities=Capabilities(json_schema=False)),
            Needs(json_schema=True),
            "It cannot keep to a JSON schema, and the request asks for one",
        ),
        (
            Candidate("x", "edge", "device", kind="classifier"),
            Needs(),
            "It is a classifier and does not chat",
        ),
    ],
)
def test_what_is_missing_is_named(candidate: Candidate, needs: Needs, sentence: str) -> None:
    objection = Capability().objection(request(needs=needs), candidate, {})
    assert objection == Objection("x", "capability", sentence)


def test_a_context_that_nobody_knows_is_no_objection() -> None:
    unknown = Candidate("x", "edge", "device")
    assert Capability().objection(request(needs=Needs(input_tokens=10**9)), unknown, {}) is None


@given(strategies.requests, strategies.fields)
def test_whoever_is_left_can_do_it(asked: Request, field: list[Candidate]) -> None:
    kept: list[Candidate] = []
    try:
        left, against = shortlist(asked, field, RULES)
        kept.extend(left)
    except NoEligibleCandidate as nobody:
        against = nobody.objections
    out = {objection.candidate for objection in against}
    assert kept == [c for c in field if c.id not in out]  # in their order
    for candidate in kept:
        can, needs = candidate.capabilities, asked.needs
        assert candidate.kind == "chat"
        assert can.tools >= needs.tools
        assert can.vision >= needs.vision
        assert can.json_schema >= needs.json_schema
        if can.context_tokens is not None:
            assert needs.input_tokens + needs.output_tokens <= can.context_tokens
        assert asked.pin in (None, candidate.id)
        assert asked.wishes.candidates is None or candidate.id in asked.wishes.candidates


def test_every_objection_is_kept_by_candidate() -> None:
    asked = request(Wishes(model="gpt"), Needs(vision=True))
    kept, against = shortlist(asked, BOTH, RULES, {})
    assert [c.id for c in kept] == ["gpt"]
    assert [(o.candidate, o.rule) for o in against] == [("phi", "pin"), ("phi", "capability")]


def test_nobody_left_is_an_error_that_says_why() -> None:
    with pytest.raises(
        NoEligibleCandidate, match=r"phi: It takes no images.*; gpt: Its context holds"
    ) as nobody:
        shortlist(request(needs=Needs(vision=True, input_tokens=200_000)), BOTH, RULES)
    assert len(nobody.value.objections) == 2
    assert nobody.value.code == "no_eligible_candidate"


def test_the_error_tells_what_removed_them_and_the_callers_own_choice_last() -> None:
    against = (
        Objection("phi", "pin", "The request is pinned to 'gpt'"),
        Objection("phi", "resources", "This machine's CPU is constrained (99%)", 0.2),
        Objection("gpt", "budget", "It has no price"),
        Objection("gpt", "connectivity", "It does not answer"),
    )
    nobody = NoEligibleCandidate(against)
    assert nobody.objections == against
    assert str(nobody) == (
        "No candidate may answer this request (gpt: It has no price; gpt: It does not answer; "
        "phi: The request is pinned to 'gpt')."
    )


@pytest.mark.parametrize("wishes", [Wishes(), Wishes(model="phi"), Wishes(candidates=("gpt",))])
def test_too_long_for_all_that_were_wanted_has_a_code_of_its_own(wishes: Wishes) -> None:
    with pytest.raises(NoEligibleCandidate, match="context") as nobody:
        shortlist(request(wishes, Needs(input_tokens=200_000)), BOTH, RULES)
    assert nobody.value.code == "context_length_exceeded"


def test_no_constraints_keep_everybody() -> None:
    kept, against = shortlist(request(Wishes(model="phi")), BOTH, ())
    assert list(kept) == list(BOTH)
    assert against == ()


class Scripted:
    """A constraint that says what it is told to."""

    def __init__(self, *script: Objection | None) -> None:
        self.script = script
        self.calls = 0

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        del request, candidate, signals
        self.calls += 1
        return self.script[(self.calls - 1) % len(self.script)]


FINE = Objection("phi", "budget", "The month's budget is spent")


@pytest.mark.parametrize(
    ("constraint", "complaint"),
    [
        (Scripted(FINE, None), "of one candidate"),
        (Scripted(Objection("gpt", "budget", "No")), "objected to 'gpt'"),
        (Scripted(Objection("phi", "mood", "No")), "not one of the set"),  # type: ignore[arg-type]
        (Scripted(Objection("phi", "budget", " ")), "without a word"),
        (Scripted(Objection("phi", "budget", "No.")), "full stop"),
        (Scripted(Objection("phi", "budget", "No\nno")), "one line"),
    ],
)
def test_the_check_finds_what_is_wrong(constraint: Constraint, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_constraint(constraint, request(), EDGE)


def test_the_check_sees_changed_signals() -> None:
    class Meddler(Scripted):
        def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
            del request, candidate
            assert isinstance(signals, dict)
            signals.clear()
            return None

    with pytest.raises(AssertionError, match="changed the signals"):
        check_constraint(Meddler(None), request(), EDGE, {"rtt": Signal("rtt", 0.1, "s", 0.0, "test")})
    assert check_constraint(Scripted(FINE), request(), EDGE) == FINE
