from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Attempt
from edgewise.domain.stories import Story
from edgewise.outcomes.statistics import statistics

EDGE_USD, CLOUD_USD = 0.001, 0.0136
PLACES: Any = {"small": "edge", "large": "cloud"}


def attempt(candidate: str, cost: float | None, status: Any = "ok") -> Attempt:
    state: Any = "unpriced" if cost is None else "billed"
    return Attempt(
        candidate=candidate, status=status, started_s=0, latency_s=0.1, cost_usd=cost, cost_state=state
    )


def told(candidate: str, calls: Sequence[Attempt], *, reason: Any = "optimal_edge", **more: Any) -> Story:
    """A query that `candidate` answered after these calls."""
    costs = [call.cost_usd for call in calls]
    asked = decision(chosen=candidate, location=PLACES.get(candidate, "edge"), reason=reason, task="", **more)
    ended = outcome(
        asked,
        candidate=candidate,
        attempts=tuple(calls),
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        cost_state="unpriced" if None in costs else "billed",
        latency_s=0.5,
    )
    return Story(decision=asked, outcome=ended)


def kept() -> Story:
    return told("small", [attempt("small", EDGE_USD)])


def escalated() -> Story:
    calls = [attempt("small", EDGE_USD), attempt("large", CLOUD_USD)]
    return told("large", calls, reason="low_confidence")


def test_the_published_shares_save_what_they_cost_and_not_what_was_claimed() -> None:
    found = statistics([*(kept() for _ in range(949)), *(escalated() for _ in range(51))], PLACES)
    assert (found.queries, found.answered, found.escalated) == (1000, 1000, 51)
    assert (found.edge_share, found.cloud_share) == (0.949, 0.051)
    assert found.reasons == {"optimal_edge": 949, "low_confidence": 51}
    assert found.cost_usd == pytest.approx(1000 * EDGE_USD + 51 * CLOUD_USD)
    assert found.cloud_calls == 51
    assert found.cloud_call_usd == pytest.approx(CLOUD_USD)
    assert found.saved_share == pytest.approx(1 - (EDGE_USD + 0.051 * CLOUD_USD) / CLOUD_USD)
    assert found.saved_share == pytest.approx(0.8755, abs=1e-4)  # published: 93.5 %
    assert found.most_saved_share == 0.949
    assert found.latency is not None
    assert (found.latency.mean_s, found.latency.p95_s) == (0.5, 0.5)


def test_without_a_cloud_on_record_the_baseline_has_to_be_stated() -> None:
    silent = statistics([kept()], PLACES)
    assert (silent.cloud_call_usd, silent.cloud_only_usd, silent.saved_share) == (None, None, None)
    stated = statistics([kept()], PLACES, cloud_call_usd=0.002)
    assert stated.saved_share == pytest.approx(0.5)


def test_failures_refusals_and_unpriced_calls_are_counted_and_in_no_sum() -> None:
    refused = Story(decision=decision(chosen="", location="", task=""), outcome=None)
    broken = told("small", [attempt("small", 0.0, "error")])
    lost = outcome(broken.decision, status="error", cost_usd=0.0, attempts=())
    failed = Story(decision=broken.decision, outcome=lost)
    unpriced = told("large", [attempt("large", None)])
    found = statistics([refused, failed, unpriced], PLACES)
    assert (found.queries, found.answered, found.failed, found.refused) == (3, 1, 1, 1)
    assert (found.unpriced, found.cost_usd, found.cloud_calls, found.saved_share) == (1, 0.0, 0, None)


def test_what_shadows_cost_counts_and_their_answers_do_not() -> None:
    shadow = told("large", [attempt("large", CLOUD_USD)], shadow_of="req_x")
    found = statistics([kept(), shadow], PLACES, cloud_call_usd=CLOUD_USD)
    assert found.queries == 1
    assert found.shadow_usd == pytest.approx(CLOUD_USD)
    assert found.saved_share == pytest.approx(1 - (EDGE_USD + CLOUD_USD) / CLOUD_USD)


def test_chats_can_be_left_out_and_places_are_learned_from_the_log() -> None:
    asked = decision(chosen="phi", location="edge")
    chat = Story(decision=asked, outcome=outcome(asked, cost_usd=0.0))
    assert statistics([chat], {}).edge_share == 1.0
    assert statistics([chat, kept()], {}, labels_only=True).candidates == {"small": 1}


@given(st.integers(0, 40), st.integers(0, 40))
def test_shares_and_savings_add_up(near: int, far: int) -> None:
    found = statistics([*(kept() for _ in range(near)), *(escalated() for _ in range(far))], PLACES)
    assert sum(found.reasons.values()) == sum(found.candidates.values()) == found.answered == near + far
    if near + far:
        assert (found.edge_share or 0.0) + (found.cloud_share or 0.0) == pytest.approx(1.0)
    if far:
        assert found.cloud_only_usd == pytest.approx((found.saved_usd or 0.0) + found.cost_usd)
        assert (found.saved_share or 0.0) <= (found.most_saved_share or 0.0)
