"""MAE and R² of every head are measured on prompts that it had not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.made_up import prompts as said_prompts
from tests.learning.made_up import table as made_up

from edgewise.learning.tables import OutcomeTable, prompt_key
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies.learners.positive import PositiveLearner
from edgewise.policies.objectives import Objective


def noise(count: int = 120) -> OutcomeTable:
    """Nothing about these prompts tells latency, tokens, cost or criticality: a good figure is a leak."""
    dice = np.random.default_rng(3)
    texts = tuple(said_prompts(count, seed=1)[0])
    shape = (count, 2)
    return OutcomeTable(
        prompts=texts,
        keys=tuple(prompt_key(text) for text in texts),
        candidates=("edge", "cloud"),
        metrics={
            "quality": dice.random(shape),
            "latency_s": dice.lognormal(0, 0.5, shape),
            "output_tokens": dice.lognormal(4, 0.5, shape),
            "cost_usd": np.column_stack([np.zeros(count), dice.lognormal(-7, 0.5, count)]),
        },
        repeats=np.ones(shape, np.int64),
        locations={"edge": "edge", "cloud": "cloud"},
        criticality={
            "mission_criticality": dice.uniform(0, 10, count),
            "time_criticality": dice.uniform(0, 10, count),
        },
    )


def test_no_head_knows_noise() -> None:
    trained = learn(noise(), TrainOptions(Objective("quality-at-cost"), learner="ridge"))
    heads = trained.bundle.manifest.heads
    assert {"value", "quality", "latency_s", "output_tokens", "cost_usd", "criticality"} <= set(heads)
    for name, head in heads.items():
        for who, found in head.metrics.items():
            assert found["r2"] is None or found["r2"] < 0.1, (name, who)
    assert heads["cost_usd"].metrics["edge"] == {"mae": 0.0, "r2": None, "labels": 120.0}
    assert not any("training prompts" in note for note in trained.notes)


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_a_rows_own_amount_does_not_reach_its_held_out_forecast(row: int) -> None:
    data = made_up(60)
    amounts = np.random.default_rng(0).lognormal(0, 1, data.targets.shape)
    one = PositiveLearner().cross_fit_alone(_with(data, amounts))[1]
    amounts[row] *= 3.0
    other = PositiveLearner().cross_fit_alone(_with(data, amounts))[1]
    np.testing.assert_array_equal(one[row], other[row])
    assert not np.array_equal(one, other)


def test_free_and_unseen_amounts_stay_unseen() -> None:
    data = made_up(60)
    amounts = np.full(data.targets.shape, np.nan)
    amounts[:, 0] = 2.0
    rule, held = PositiveLearner().cross_fit_alone(_with(data, amounts))
    assert held[:, 0] == pytest.approx(2.0, rel=1e-5)
    assert np.isfinite(rule.predict(data.features)).all()


def _with(data, targets):
    return replace(data, targets=targets.copy())
