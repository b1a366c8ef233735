"""Rules that look at the state of the world: what they remove, what they only make dearer."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from edgewise.constraints import (
    Budget,
    Connectivity,
    Latency,
    Pin,
    Privacy,
    Resources,
    Rule,
    check_constraint,
    constraints_for,
    shortlist,
)
from edgewise.constraints.budget import dollars
from edgewise.domain.candidates import Candidate, Objection, Price
from edgewise.domain.errors import NoEligibleCandidate, SettingsError
from edgewise.domain.protocols import Constraint
from edgewise.domain.requests import Features, Needs, Request, Situation, Wishes
from edgewise.domain.signals import Signal, Signals, State
from edgewise.policies import Complexity
from edgewise.settings import plugins
from edgewise.settings.schema import ConstraintsSettings, CustomSettings, Settings

EDGE = Candidate("phi", "edge", "device", endpoint="http://127.0.0.1:11434/v1", price=Price(0.0, 0.0))
SITE = Candidate("nas", "edge", "site", endpoint="http://nas.local:8000/v1", price=Price(0.0, 0.0))
CLOUD = Candidate("gpt", "cloud", "cloud", endpoint="https://api.example.com/v1", price=Price(1.0, 2.0))
UNPRICED = Candidate("grok", "cloud", "cloud", endpoint="https://example.org/v1")
ALL_RULES: tuple[Constraint, ...] = (
    Connectivity(),
    Resources(),
    Resources(hard=False),
    Budget(usd_per_day=0.5),
    Budget(usd_per_request=0.001),
    Latency(),
    Latency(deadline_s=0.5),
    Rule("eu", allow={"region": ("eu",)}),
    Rule("no-cloud", when={"team": "legal"}, deny={"location": ("cloud",)}),
)


def request(wishes: Wishes | None = None, needs: Needs | None = None) -> Request:
    return Request("req", "hi", "hi", b"", wishes or Wishes(), needs or Needs(50, 200))


def world(*told: tuple[str, float | None, State]) -> Signals:
    return {name: Signal(name, value, "", 0.0, "test", state) for name, value, state in told}


def hard(rule: Constraint, candidate: Candidate, signals: Signals, asked: Request | None = None) -> bool:
    found = check_constraint(rule, asked or request(), candidate, signals)
    return found is not None and found.penalty is None


def penalty(rule: Constraint, candidate: Candidate, signals: Signals) -> float:
    found = check_constraint(rule, request(), candidate, signals)
    return 0.0 if found is None or found.penalty is None else found.penalty


@given(st.sampled_from(ALL_RULES), strategies.requests, strategies.candidates, strategies.worlds)
def test_every_rule_keeps_to_the_contract(
    rule: Constraint, asked: Request, candidate: Candidate, signals: Signals
) -> None:
    check_constraint(rule, asked, candidate, signals)


@given(st.sampled_from((Connectivity(), Resources(), Latency(1.0))), strategies.candidates)
def test_what_nobody_knows_speaks_against_nobody(rule: Constraint, candidate: Candidate) -> None:
    names = ("link", "cpu", "memory", "battery", f"online:{candidate.id}", f"latency_s:{candidate.id}")
    unknown = {name: Signal(name, None, "", 0.0, "test") for name in names}
    assert rule.objection(request(), candidate, unknown) is None
    assert rule.objection(request(), candidate, {}) is None


def test_without_a_network_only_this_machine_is_left() -> None:
    down = world(("link", 0.0, "critical"))
    assert not hard(Connectivity(), EDGE, down)
    assert hard(Connectivity(), SITE, down)
    assert hard(Connectivity(), CLOUD, down)


def test_an_endpoint_that_is_out_of_reach_is_not_asked_wherever_it_is() -> None:
    assert hard(Connectivity(), EDGE, world(("online:phi", 0.0, "critical")))
    assert not hard(Connectivity(), EDGE, world(("online:gpt", 0.0, "critical")))
    assert penalty(Connectivity(), CLOUD, world(("online:gpt", 1.0, "constrained"))) > 0


@pytest.mark.parametrize("name", ["memory", "pressure_memory", "gpu_memory", "battery", "temperature"])
def test_a_machine_in_danger_is_left_alone(name: str) -> None:
    assert hard(Resources(), EDGE, world((name, 0.97, "critical")))
    assert not hard(Resources(), SITE, world((name, 0.97, "critical")))
    assert not hard(Resources(), CLOUD, world((name, 0.97, "critical")))
    assert penalty(Resources(hard=False), EDGE, world((name, 0.97, "critical"))) == 1.0


def test_a_busy_processor_costs_but_does_not_refuse() -> None:
    busy, strained = world(("cpu", 0.99, "critical")), world(("cpu", 0.9, "constrained"))
    assert not hard(Resources(), EDGE, busy)
    assert penalty(Resources(), EDGE, busy) > penalty(Resources(), EDGE, strained) > 0


def test_a_low_battery_does_not_count_on_mains() -> None:
    low: tuple[str, float, State] = ("battery", 0.04, "critical")
    assert hard(Resources(), EDGE, world(low, ("mains", 0.0, "normal")))
    assert not hard(Resources(), EDGE, world(low, ("mains", 1.0, "normal")))
    assert hard(Resources(), EDGE, world(low, ("mains", None, "unknown")))


def test_the_gravest_resource_is_told() -> None:
    found = Resources().objection(
        request(), EDGE, world(("memory", 0.9, "constrained"), ("cpu", 0.99, "critical"))
    )
    assert found == Objection("phi", "resources", "This machine's CPU is critical (99%)", 1.0)


def test_an_unpriced_candidate_fails_closed_under_any_budget() -> None:
    fine = world(("spent_usd", 0.0, "normal"))
    assert hard(Budget(usd_per_day=1.0), UNPRICED, fine)
    assert hard(Budget(usd_per_request=1.0), UNPRICED, fine)
    assert not hard(Budget(), UNPRICED, fine)


def test_a_day_that_is_spent_is_over_for_who_costs_money() -> None:
    rule = Budget(usd_per_day=1.0)
    assert hard(rule, CLOUD, world(("spent_usd", 0.9999, "critical")))
    assert not hard(rule, EDGE, world(("spent_usd", 5.0, "critical")))
    assert hard(rule, CLOUD, {}), "nobody knows what was spent: closed"
    seventy, ninety = world(("spent_usd", 0.7, "constrained")), world(("spent_usd", 0.9, "critical"))
    assert penalty(rule, CLOUD, ninety) > penalty(rule, CLOUD, seventy) > 0


def test_a_request_has_a_limit_of_its_own() -> None:
    rule = Budget(usd_per_request=0.001)
    dear = request(needs=Needs(input_tokens=100, output_tokens=1000))
    assert hard(rule, CLOUD, {}, dear)
    assert not hard(rule, CLOUD, {}, request(needs=Needs(100, 100)))
    assert hard(rule, CLOUD, {}, request(needs=Needs(100, 0))), "a typical answer is assumed"


def test_a_deadline_counts_the_queue() -> None:
    asked = request(Wishes(deadline_s=2.0))
    assert not hard(Latency(), EDGE, world(("latency_s:phi", 1.5, "normal")), asked)
    late = world(("latency_s:phi", 1.5, "normal"), ("queue_wait_s:phi", 1.0, "normal"))
    assert hard(Latency(), EDGE, late, asked)
    assert not hard(Latency(), EDGE, late)
    assert hard(Latency(2.0), EDGE, late)


def test_rules_read_the_metadata_of_both() -> None:
    legal = request(Wishes(metadata={"team": "legal"}))
    no_cloud = Rule("legal stays here", when={"team": "legal"}, deny={"location": ("cloud",)})
    assert hard(no_cloud, CLOUD, {}, legal)
    assert not hard(no_cloud, EDGE, {}, legal)
    assert not hard(no_cloud, CLOUD, {}), "the rule concerns others"
    tagged = Candidate("eu", "cloud", "cloud", region="eu", tags={"vendor": "acme"})
    assert not hard(Rule("eu", allow={"region": ("eu",)}), tagged, {})
    assert hard(Rule("eu", allow={"region": ("eu",)}), CLOUD, {})
    assert hard(Rule("no acme", deny={"vendor": ("acme",)}), tagged, {})


def test_small_sums_of_money_are_written_out() -> None:
    assert [dollars(amount) for amount in (0.0, 5.0, 0.1 + 0.2, 2e-5)] == ["$0", "$5", "$0.3", "$0.00002"]


def test_every_objection_is_told_where_nobody_is_left() -> None:
    dark = world(("link", 0.0, "critical"), ("memory", 0.99, "critical"))
    with pytest.raises(NoEligibleCandidate) as nobody:
        shortlist(request(), (EDGE, CLOUD), (Connectivity(), Resources()), dark)
    assert {(o.candidate, o.rule) for o in nobody.value.objections} == {
        ("phi", "resources"),
        ("gpt", "connectivity"),
    }
    assert nobody.value.status == 503, "it may be answered later"
    with pytest.raises(NoEligibleCandidate) as never:
        shortlist(request(Wishes(privacy="local")), (CLOUD,), (Privacy(), Connectivity()), dark)
    assert never.value.status == 400, "not even then"


def test_best_effort_gives_way_for_resources_only() -> None:
    dark = world(("link", 0.0, "critical"), ("memory", 0.99, "critical"))
    rules = (Connectivity(), Resources())
    kept, told = shortlist(request(), (EDGE, CLOUD), rules, dark, best_effort=True)
    assert [candidate.id for candidate in kept] == ["phi"]
    assert {o.rule for o in told} == {"connectivity", "resources"}
    local = request(Wishes(privacy="local"))
    with pytest.raises(NoEligibleCandidate):
        shortlist(local, (SITE, CLOUD), (Privacy(), Resources()), dark, best_effort=True)


@given(strategies.requests, st.lists(strategies.candidates, min_size=1, max_size=4), strategies.worlds)
def test_best_effort_never_lets_anything_local_out(
    asked: Request, candidates: list[Candidate], signals: Signals
) -> None:
    try:
        kept, _ = shortlist(asked, candidates, (Privacy(), Pin(), Resources()), signals, best_effort=True)
    except NoEligibleCandidate:
        return
    if asked.wishes.privacy == "local":
        assert {candidate.trust for candidate in kept} == {"device"}


def test_soft_objections_add_up_and_move_the_rule_of_thumb() -> None:
    strained = world(("cpu", 0.99, "critical"))
    kept, _ = shortlist(request(), (EDGE, CLOUD), (Connectivity(), Resources()), strained)
    assert kept.penalties == {"phi": 1.0}
    easy = Features(
        {"characters": 9.0, "words_per_sentence": 2.0, "emotion_words": 0.0, "escalation_words": 0.0}
    )
    assert Complexity().odds(Situation(easy, kept)).favourite == "gpt"


class OfficeHours:
    """A rule of somebody else's, with an option."""

    def __init__(self, candidate: str) -> None:
        self.candidate = candidate

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        del request, signals
        if candidate.id != self.candidate:
            return None
        return Objection(candidate.id, "allow", "It is closed")


def _offer(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("hours", f"{__name__}:OfficeHours", "edgewise.constraints")

    def load(_: EntryPoint) -> type[OfficeHours]:
        return OfficeHours

    monkeypatch.setattr(EntryPoint, "load", load)

    def found(group: str, name: str = point.name) -> list[EntryPoint]:
        return [point] if (group, name) == (point.group, point.name) else []

    monkeypatch.setattr(plugins, "entry_points", found)


def configured(name: str, options: dict[str, Any]) -> Settings:
    return Settings(constraints=ConstraintsSettings(custom=(CustomSettings(name, options),)))


def test_a_custom_rule_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch)
    rule = constraints_for(configured("hours", {"candidate": "gpt"}))[-1]
    assert isinstance(rule, OfficeHours)
    assert hard(rule, CLOUD, {})


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("nobody", {}, r"custom\[0\].name is 'nobody', and no installed package offers that .* hours"),
        ("hours", {"day": 1}, "does not take these options"),
    ],
)
def test_a_custom_rule_that_cannot_be_made_is_one_sentence(
    name: str, options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch)
    with pytest.raises(SettingsError, match=said):
        constraints_for(configured(name, options))


class Broken:
    """A rule of somebody else's that does not work."""

    def objection(self, request: Request, candidate: Candidate, signals: Signals) -> Objection | None:
        raise KeyError(signals, request, candidate)


def test_a_rule_that_fails_objects() -> None:
    with pytest.raises(NoEligibleCandidate, match="The constraint Broken failed with KeyError"):
        shortlist(request(), (EDGE, CLOUD), (Pin(), Broken()), {})
