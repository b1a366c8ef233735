"""The small network: what it promises beyond what every learner does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.made_up import STATIC, prompts, table

from edgewise.policies.learners.mlp import Network, NetworkLearner

ASKED = STATIC.describe([*prompts(50, seed=9)[0], "", "\ud800", "x" * 10_000])
TWO = NetworkLearner(networks=2, hidden=8)


@given(st.integers(0, 1_000), st.sampled_from([2, 9, 40, 80]), st.floats(-50, 50), st.floats(0.1, 40))
@settings(max_examples=15, deadline=None)
def test_forecasts_are_float32_and_never_beyond_what_was_seen(seed: int, count: int, low: float, size: float):
    data = table(count, candidates=3, seed=seed)
    targets = low + size * data.targets
    targets[np.random.default_rng(seed).random(targets.shape) < 0.3] = np.nan
    said = TWO.fit(replace(data, targets=targets)).predict(ASKED)
    assert said.dtype == np.float32
    for column in range(3):
        mine = targets[:, column][~np.isnan(targets[:, column])]
        near, far = (mine.min(), mine.max()) if len(mine) else (0.5, 0.5)
        slack = 1e-5 * (abs(low) + size + 1)
        assert (said[:, column] >= near - slack).all()
        assert (said[:, column] <= far + slack).all()


@given(st.integers(0, 100), st.floats(0.01, 100))
@settings(max_examples=8, deadline=None)
def test_only_the_ratios_of_weights_count(seed: int, factor: float):
    data = table(40, seed=seed)
    weights = np.random.default_rng(seed).uniform(0.5, 4, data.targets.shape)
    one, other = (TWO.fit(replace(data, weights=w)).predict(ASKED) for w in (weights, factor * weights))
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_what_weighs_nothing_teaches_nothing():
    data = table(80)
    weights = np.ones(data.targets.shape)
    weights[::2] = 0.0
    turned = data.targets.copy()
    turned[::2] = 1.0 - turned[::2]
    one, other = (
        TWO.fit(replace(data, targets=t, weights=weights)).predict(ASKED) for t in (data.targets, turned)
    )
    np.testing.assert_array_equal(one, other)


def test_noise_is_answered_with_about_the_mean():
    data = table(300)
    noise = np.random.default_rng(1).random(data.targets.shape)
    fitted = NetworkLearner().fit(replace(data, targets=noise))
    said = fitted.predict(STATIC.describe(prompts(300, seed=7)[0]))
    assert said.std(0).max() < 0.1
    np.testing.assert_allclose(said.mean(0), noise.mean(0), atol=0.05)


def test_another_seed_is_another_network_and_the_same_seed_is_not():
    data = table(80)
    first, again = (TWO.fit(data).arrays() for _ in range(2))
    other = TWO.fit(replace(data, seed=1)).arrays()
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert first["inner"].tobytes() != other["inner"].tobytes()
    assert all(value.dtype == np.float32 for value in first.values())
    assert Network.from_arrays(first).predict(ASKED).tobytes() == TWO.fit(data).predict(ASKED).tobytes()
