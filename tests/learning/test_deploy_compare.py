"""What a trial has shown: sides whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.outcomes import sample

from edgewise.domain.decisions import Feedback
from edgewise.domain.stories import Story
from edgewise.learning.deploy.compare import compare
from edgewise.policies.canary import ARM, FAILED

START = sample.AT
ODDS = {"smollm2-135m": 0.9, "cloud-simulated": 0.1}


def story(quality: float | None = None, *, outcome: dict[str, Any] | None = None, **decision: Any) -> Story:
    decided = sample.decision(**{"at": START + 1.0, "odds": ODDS, **decision})
    said = Feedback(id=f"fb{decided.id}", decision_id=decided.id, at=decided.at, quality=quality)
    ended = sample.outcome(decided, **(outcome or {}))
    return Story(decision=decided, outcome=ended, feedback=() if quality is None else (said,))


def sides(
    seed: int, *, quality: tuple[float, float] = (0.5, 0.7), sessions: int = 100, each: int = 3
) -> Iterator[Story]:
    """(incumbent's, canary's) quality; a session's answers are alike, so that rows alone feign certainty."""
    dice = np.random.default_rng(seed)
    for number in range(sessions):
        arm = number % 2
        good = float(dice.random() < quality[arm])
        for _ in range(each):
            yield story(
                good,
                outcome={"latency_s": 1.0 + arm + 0.1 * dice.random(), "cost_usd": 0.002 - 0.001 * arm},
                evidence={ARM: float(arm)},
                session=f"s{number}",
            )


def test_each_measure_has_its_direction() -> None:
    found = compare(sides(0, quality=(0.1, 0.9)), since=START)
    assert (found.canary, found.incumbent, found.failed) == (150, 150, 0)
    assert {name: m.verdict for name, m in found.measures.items()} == {
        "quality": "better",
        "latency_s": "worse",
        "cost_usd": "better",
        "errors": "no different",
    }
    latency = found.measures["latency_s"]
    assert latency.difference.mean == pytest.approx(latency.canary.mean - latency.incumbent.mean)
    assert latency.difference.low > 0.9
    assert latency.sessions == (50, 50)


def test_the_interval_holds_the_truth_although_sessions_are_alike() -> None:
    held = 0
    for seed in range(100):
        difference = compare(sides(seed), since=START, seed=seed).measures["quality"].difference
        held += difference.low <= 0.2 <= difference.high
    assert held >= 90


def test_failures_are_counted_on_their_side_and_hang_ups_on_none() -> None:
    stories = [
        story(outcome={"status": status}, evidence={ARM: float(arm)})
        for arm in (0, 1)
        for status in ("ok",) * 30 + (("error", "incomplete") if arm else ()) * 10 + ("cancelled",) * 5
    ]
    errors = compare(stories, since=START).measures["errors"]
    assert errors.canary.mean == pytest.approx(0.4)
    assert errors.incumbent.mean == 0.0
    assert errors.verdict == "worse"
    assert errors.sessions == (50, 30)


def test_only_what_a_policy_chose_since_the_beginning_counts() -> None:
    stories = [
        story(1.0, evidence={ARM: 1.0}, at=START),
        story(1.0, evidence={ARM: 1.0}, model="smollm2-135m"),
        story(1.0, evidence={ARM: 1.0}, odds={"smollm2-135m": 1.0}),
        story(1.0, evidence={}),
        story(1.0, evidence={FAILED: 1.0}),
    ]
    found = compare(stories, since=START)
    assert (found.canary, found.incumbent, found.failed) == (0, 0, 1)
    assert found.measures == {}


def test_few_sessions_are_too_early() -> None:
    found = compare(sides(0, quality=(0.0, 1.0), sessions=30, each=10), since=START)
    assert {m.verdict for m in found.measures.values()} == {"too early to say"}
