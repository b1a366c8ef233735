from __future__ import annotations

import re
from math import fsum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Attempt, Feedback, Reason, Record
from edgewise.domain.ids import mint, shadow_id
from edgewise.monitors.metrics import HELP, Traffic, page
from edgewise.monitors.metrics.exposition import Family, Sample
from edgewise.monitors.metrics.spread import Spread
from edgewise.monitors.metrics.traffic import BATCH, MOST_OPEN, MOST_POLICIES

PLACES: dict[str, Any] = {"phi": "edge", "gpt": "cloud"}
SERIES = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')


def story(by: str = "phi", **changes: Any) -> tuple[Record, Record]:
    made = decision(chosen=by, location=PLACES.get(by, ""), policy="complexity", reason="optimal_edge")
    return made, outcome(made, **{"attempts": (call(by),), **changes})


def call(by: str, **changes: Any) -> Attempt:
    said: dict[str, Any] = {
        "status": "ok", "started_s": 0.0, "latency_s": 1.4, "cost_usd": 0.002, "cost_state": "billed",
    }  # fmt: skip
    return Attempt(candidate=by, **{**said, **changes})


def watched(*stories: tuple[Record, ...]) -> Traffic:
    traffic = Traffic(PLACES)
    for records in stories:
        for record in records:
            traffic.observe(record)
    return traffic


def read(traffic: Traffic) -> dict[str, float]:
    """The page's numbers by series, as they are spelled there."""
    lines = page(traffic.families()).decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def path(candidate: str, location: str, outcome: str = "ok", why: str = "optimal_edge") -> str:
    labels = f'candidate="{candidate}",location="{location}",policy="complexity",reason="{why}"'
    return f'edgewise_requests_total{{{labels},outcome="{outcome}"}}'


def test_a_mixed_hour_in_numbers() -> None:
    failed = call("gpt", status="error", cost_usd=0.0, latency_s=0.1)
    refused = decision(chosen="", location="", policy="complexity", reason="privacy")
    found = read(
        watched(
            story(),
            story("gpt", latency_s=0.15, input_tokens=16, output_tokens=17, cost_usd=0.01),
            story("gpt", candidate="phi", attempts=(failed, call("phi"))),
            story("gpt", status="error", attempts=(failed,)),
            story(attempts=(call("phi", cost_usd=None, cost_state="unpriced"),), cost_usd=None),
            (refused, outcome(refused, status="error", attempts=(), ttft_s=None)),
        )
    )
    assert found[path("phi", "edge")] == 3
    assert found[path("gpt", "cloud")] == 1
    assert found[path("gpt", "cloud", "error")] == 1
    assert found[path("none", "none", "error", "privacy")] == 1
    phi, gpt = ('candidate="phi",location="edge"', 'candidate="gpt",location="cloud"')
    assert found[f"edgewise_fallbacks_total{{{phi}}}"] == 1
    assert found[f"edgewise_fallbacks_total{{{gpt}}}"] == 0
    assert found[f'edgewise_attempts_total{{{phi},outcome="ok"}}'] == 3
    assert found[f'edgewise_attempts_total{{{gpt},outcome="error"}}'] == 2
    assert found[f'edgewise_spent_usd_total{{{phi},state="billed"}}'] == pytest.approx(0.004)
    assert found[f"edgewise_unpriced_calls_total{{{phi}}}"] == 1
    assert found[f'edgewise_duration_seconds_bucket{{{gpt},le="0.1"}}'] == 0
    assert found[f'edgewise_duration_seconds_bucket{{{gpt},le="0.15"}}'] == 1
    assert found[f"edgewise_duration_seconds_count{{{phi}}}"] == 3
    assert found[f"edgewise_duration_seconds_sum{{{phi}}}"] == pytest.approx(3 * 1.42)
    assert found[f"edgewise_first_token_seconds_count{{{phi}}}"] == 3
    assert found[f'edgewise_input_tokens_bucket{{{gpt},le="16"}}'] == 1
    assert found[f'edgewise_output_tokens_bucket{{{gpt},le="16"}}'] == 1
    assert found[f"edgewise_request_cost_usd_count{{{phi}}}"] == 2
    assert found["edgewise_overhead_seconds_count"] == 3
    assert found['edgewise_overhead_seconds_bucket{le="0.025"}'] == 3
    assert found['edgewise_decision_seconds_count{policy="complexity"}'] == 6
    assert found['edgewise_decision_seconds_bucket{policy="complexity",le="2.5e-05"}'] == 0
    assert found['edgewise_decision_seconds_bucket{policy="complexity",le="5e-05"}'] == 6


def test_a_shadow_is_paid_for_and_is_no_request() -> None:
    own, answered = story()
    beside = decision(id=shadow_id(own.id), chosen="gpt", reason="shadow", shadow_of=own.id)  # type: ignore[union-attr]
    found = read(watched((own, answered), (beside, outcome(beside, attempts=(call("gpt"),)))))
    gpt = 'candidate="gpt",location="cloud"'
    assert found[f'edgewise_shadow_requests_total{{{gpt},outcome="ok"}}'] == 1
    assert found[f'edgewise_spent_usd_total{{{gpt},state="billed"}}'] == 0.002
    assert found[f"edgewise_duration_seconds_count{{{gpt}}}"] == 0
    assert sum(number for name, number in found.items() if name.startswith("edgewise_requests_")) == 1


def test_feedback_is_a_quality() -> None:
    said = [
        Feedback(id=mint(), decision_id=mint(), at=1.0, quality=0.8),
        Feedback(id=mint(), decision_id=mint(), at=1.0, thumbs="up"),
    ]
    said.append(Feedback(id=mint(), decision_id=mint(), at=1.0, comment="hm", source="a client's own word"))
    found = read(watched(tuple(said)))
    assert found['edgewise_quality_bucket{le="0.8"}'] == 1
    assert (found["edgewise_quality_count"], found["edgewise_quality_sum"]) == (2, 1.8)


@given(st.lists(st.floats(0.0, 1e6), max_size=200), st.integers(1, 7))
def test_a_spread_counts_each_value_once_wherever_it_is_settled(values: list[float], every: int) -> None:
    spread = Spread((0.5, 1.0, 100.0))
    for number, value in enumerate(values):
        spread.add(value)
        if number % every == 0:
            spread.settle()
    spread.settle()
    bins = [sum(v <= 0.5 for v in values), sum(0.5 < v <= 1 for v in values)]
    assert spread.counts == [*bins, sum(1 < v <= 100 for v in values), sum(v > 100 for v in values)]
    assert spread.total == pytest.approx(fsum(values))


WORDS = st.text(max_size=12)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS, st.sampled_from(["ok", "error"])), max_size=20))
def test_no_label_is_a_word_of_somebody_elses(told: list[tuple[str, str, str, Any]]) -> None:
    traffic = Traffic(PLACES)
    for candidate, policy, reason, status in told:
        made = decision(chosen=candidate, policy=policy, reason=reason)
        traffic.observe(made)
        traffic.observe(outcome(made, status=status, attempts=(call(candidate, status=status),)))
    families = traffic.families()
    policies = {policy for _, policy, _, _ in told}
    for sample in next(f for f in families if f.name == "edgewise_requests_total").samples:
        assert sample.labels["candidate"] in (*PLACES, "none", "other")
        assert sample.labels["reason"] in (*get_args(Reason), "other")
        assert sample.labels["policy"] in policies
    lines = page(families).decode().split("\n")
    assert all(SERIES.fullmatch(line) for line in lines if line and not line.startswith("#"))


def test_what_comes_without_end_takes_no_more_room() -> None:
    traffic = Traffic(PLACES)
    for number in range(MOST_OPEN + 700):  # decisions that nobody carries out, under ever new policies
        traffic.observe(decision(policy=f"bundle:{number}", chosen="phi"))
        traffic.observe(Feedback(id="f", decision_id="d", at=1.0, quality=0.5))
    assert len(traffic._open) == MOST_OPEN
    policies = {s.labels["policy"] for f in traffic.families() if "decision" in f.name for s in f.samples}
    assert len(policies) == MOST_POLICIES + 1
    assert "other" in policies


def test_nothing_waits_for_long() -> None:
    traffic = watched(*(story() for _ in range(BATCH + 5)))
    assert len(traffic._places["phi"].duration._waiting) <= 6


def test_an_outcome_whose_decision_is_forgotten_counts_all_the_same() -> None:
    _, ended = story()
    found = read(watched((ended,)))
    assert found[path("phi", "edge", why="unknown").replace("complexity", "unknown")] == 1


def test_every_family_is_described_and_escaped() -> None:
    assert {family.name for family in watched(story()).families()} <= set(HELP)
    odd = page([Family("edgewise_info", [Sample({"version": 'a"b\\c\nd'}, 1)])]).decode()
    assert odd.splitlines()[-1] == r'edgewise_info{version="a\"b\\c\nd"} 1'


def test_the_page_is_what_prometheus_reads() -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")
    text = page(watched(story(), story("gpt"), story(status="cancelled")).families()).decode()
    found = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert {name for name in HELP if name.startswith("edgewise_") and HELP[name][0] == "histogram"} <= set(
        found
    )
    requests = found["edgewise_requests"]
    assert (requests.type, sum(sample.value for sample in requests.samples)) == ("counter", 3.0)
    for family in found.values():
        if family.type == "histogram":
            for sample in family.samples:
                assert sample.value >= 0
