"""What a shadow has shown: choices alone, and answers where it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

import numpy as np
import pytest
from tests.learning.test_deploy_compare import START, story
from tests.outcomes import sample

from edgewise.domain.decisions import Feedback, Shadow
from edgewise.domain.ids import shadow_id
from edgewise.domain.stories import Story
from edgewise.learning.deploy.compare import compare
from edgewise.learning.deploy.watched import watch
from edgewise.learning.replay import Asked, Wishes, replay
from edgewise.policies.canary import ARM
from edgewise.policies.objectives import Objective

WOULD = Shadow("new", "cloud-simulated", {"smollm2-135m": 0.0, "cloud-simulated": 1.0}, ask=True)


def asked(quality: float, shadows: float, *, shadow: dict[str, Any] | None = None, **decision: Any) -> Story:
    """A client's story, and its shadow's."""
    clients = story(quality, shadow=WOULD, **decision)
    own = sample.decision(
        id=shadow_id(clients.decision.id), at=START + 2, chosen="cloud-simulated", reason="shadow",
        shadow_of=clients.decision.id, odds=WOULD.odds, session=clients.decision.session,
    )  # fmt: skip
    ended = sample.outcome(own, **{"latency_s": 3.0, "cost_usd": 0.002, **(shadow or {})})
    said = Feedback(id=f"fb{own.id}", decision_id=own.id, at=own.at, quality=shadows)
    told = Story(decision=own, outcome=ended, feedback=(said,))
    return Story(decision=clients.decision, outcome=clients.outcome, feedback=clients.feedback, shadow=told)


def halves(asked: Sequence[Asked], candidates: Sequence[str], offered: np.ndarray) -> Wishes:
    assert len(asked) == len(offered)
    return Wishes(offered / len(candidates))


def pairs(count: int = 60, seed: int = 0) -> Iterator[Story]:
    """Prompts of very unequal difficulty, on each of which the shadow is better by .1 on the average."""
    dice = np.random.default_rng(seed)
    for _ in range(count):
        base = 0.8 * dice.random()
        yield asked(base, base + 0.1 + 0.02 * dice.normal())


def test_both_answers_of_a_prompt_are_compared_within_it() -> None:
    found = watch(pairs(), since=START).asked
    assert found is not None
    assert (found.wanted, found.answered, found.errors, found.unpriced) == (60, 60, 0, 0)
    assert found.cost_usd == pytest.approx(0.12)
    quality = found.measures["quality"]
    assert quality.verdict == "better"
    assert quality.difference.low > 0.08  # between prompts it would drown: a side's own interval is wider
    assert quality.canary.high - quality.canary.low > 0.1
    assert found.measures["latency_s"].verdict == "worse"


def test_what_failed_and_what_was_dropped_is_counted() -> None:
    failed = [asked(1.0, 0.0, shadow={"status": "error", "cost_usd": None}) for _ in range(25)]
    dropped = [story(1.0, shadow=WOULD) for _ in range(5)]
    found = watch([*failed, *dropped], since=START).asked
    assert found is not None
    assert (found.wanted, found.answered, found.errors, found.unpriced) == (30, 0, 25, 25)
    assert found.measures["errors"].verdict == "worse"
    assert "quality" not in found.measures
    assert watch([story(shadow=Shadow("new", "smollm2-135m"))], since=START).asked is None


def test_few_prompts_are_too_early() -> None:
    found = watch(pairs(10), since=START).asked
    assert found is not None
    assert {m.verdict for m in found.measures.values()} == {"too early to say"}


def test_a_shadow_is_compared_with_the_favourite_not_with_the_draw() -> None:
    same = [story(shadow=Shadow("new", "smollm2-135m"), chosen="cloud-simulated") for _ in range(30)]
    other = [story(shadow=Shadow("new", "cloud-simulated")) for _ in range(10)]
    broken = [story(shadow=Shadow("new", error="no such matrix")) for _ in range(3)]
    unseen = [story(), story(shadow=Shadow("older", "cloud-simulated"))]
    found = watch([*same, *other, *broken, *unseen], since=START, policy="new")
    assert (found.watched, found.failed) == (40, 3)
    assert found.agreement.mean == pytest.approx(0.75)
    assert 0.5 < found.agreement.low < 0.75 < found.agreement.high < 0.95
    assert isnan(watch([], since=START).agreement.mean)


def test_a_shadows_own_record_counts_neither_for_a_canary_nor_for_a_replay() -> None:
    told = asked(1.0, 0.0, evidence={ARM: 1.0}).shadow
    assert told is not None
    odds = {"smollm2-135m": 0.5, "cloud-simulated": 0.5}
    own = Story(
        decision=sample.decision(
            reason="shadow", shadow_of="x", evidence={ARM: 1.0}, odds=odds, at=START + 1
        ),
        outcome=told.outcome,
        feedback=told.feedback,
    )
    assert compare([told, own], since=START).canary == 0
    found = replay([told, own], halves, Objective("quality-at-cost"))
    assert found.left_out == {"only a shadow answered, and no client saw it": 2}


def test_a_few_sessions_that_all_agree_are_not_sure() -> None:
    found = watch([story(shadow=Shadow("new", "smollm2-135m")) for _ in range(3)], since=START).agreement
    assert found.mean == found.high == pytest.approx(1.0)
    assert found.low == pytest.approx(0.4385, abs=1e-3), "Wilson's interval of three in three"
