"""How the default learner weighs its members, and what each member owes to the choice."""

from dataclasses import replace

import numpy as np
from tests.learning.made_up import STATIC, prompts, table

from edgewise.policies.learners.auto import LEAST_TRUST, weigh
from edgewise.policies.learners.machine import KernelLearner, KernelMachine
from edgewise.policies.learners.terms import TermLearner

ASKED = STATIC.describe(prompts(30, seed=9)[0])


def noise(count: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(3)
    return {name: 0.5 + 0.1 * draw.standard_normal((count, 2)) for name in names}


def test_forecasts_that_do_not_bear_out_keep_an_order_though_hardly_a_difference():
    data = table(60)
    held = noise(60, ("direct", "terms"))
    for name in held:  # the very opposite of what happened
        held[name] -= 0.2 * (data.targets - data.targets.mean(0))
    stack = weigh(held, data)
    assert 0.0 < stack.apart.sum() <= LEAST_TRUST * 1.001
    said = stack.mix(np.stack([held[name] for name in stack.names], 1).astype(np.float32))
    assert len(np.unique(said[:, 0] - said[:, 1])) > 50


def test_guessing_the_task_weighs_less_where_there_are_few_tasks():
    data = table(60)
    held = noise(60, ("direct", "by_task", "terms", "neighbours", "trees"))
    weights: list[float] = []
    for tasks in (2, 30):
        stack = weigh(held, replace(data, labels=np.arange(60) % tasks))
        share = dict(zip(stack.names, stack.level, strict=True)).get("by_task", 0.0) / stack.level.sum()
        weights.append(float(share))
    assert weights[0] < 0.1
    assert weights[1] > 0.3


def test_a_prompt_like_no_known_task_is_left_to_the_direct_forecast():
    landmarks = KernelLearner(20).fit(table(60)).landmarks
    slopes, earned = np.zeros((40, 4), np.float32), np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    like = KernelMachine(landmarks, slopes, np.array([0.5, 0.6, 1.0, 0.0], np.float32), earned)
    unlike = KernelMachine(landmarks, slopes, np.array([0.5, 0.6, 0.04, 0.03], np.float32), earned)
    np.testing.assert_allclose(like.members(ASKED)[:, 1], np.tile(earned[0], (30, 1)), atol=1e-5)
    np.testing.assert_allclose(unlike.members(ASKED)[:, 1], unlike.members(ASKED)[:, 0], atol=1e-6)


def test_the_penalty_of_terms_is_chosen_by_differences_not_by_how_hard_prompts_are():
    data = table(200)
    texts, labels = prompts(200)
    hard = np.where(labels == 0, 1.0, 0.0)[:, None]  # told by the terms, and the same for both
    luck = 0.2 * np.random.default_rng(4).standard_normal((200, 1))  # told by nothing
    data = replace(data, features=STATIC.describe(texts), targets=np.hstack((hard + luck, hard - luck)))
    chosen = TermLearner((0.3, 300.0)).fit(data)
    np.testing.assert_array_equal(chosen.slopes, TermLearner((300.0,)).fit(data).slopes)
    one = replace(data, targets=data.targets[:, :1], weights=data.weights[:, :1])
    alone = TermLearner((0.3, 300.0)).fit(one)
    assert np.abs(alone.slopes).max() > 5 * np.abs(chosen.slopes).max()
