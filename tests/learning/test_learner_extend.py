"""A new candidate is added from a few labels, and the others stay as they were, byte for byte."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.learning.made_up import STATIC, prompts, table

from edgewise.features.described import describer
from edgewise.learning.tables import Layout, read_table
from edgewise.learning.train.targets import targets_of
from edgewise.policies.learners.extend import extend
from edgewise.policies.learners.registry import fitted_from, learner_called
from edgewise.policies.objectives import Objective

DATA = Path(os.environ.get("EDGEWISE_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "routing").is_dir(), reason="the public tables are not here")
ASKED = STATIC.describe(prompts(200, seed=5)[0])


@pytest.mark.parametrize("name", ["auto", "ridge"])
def test_the_others_keep_their_arrays_and_all_comes_back(name):
    inner = learner_called(name).fit(table(150))
    new = table(40, seed=8)
    once = extend(inner, new.features, new.targets[:, 0], np.ones(40))
    twice = extend(once, new.features, new.targets[:, 1], np.ones(40))
    before, after = inner.arrays(), twice.arrays()
    assert all(after[key].tobytes() == value.tobytes() for key, value in before.items())
    said = twice.predict(ASKED)
    assert said.shape == (200, 4)
    assert said[:, :2].tobytes() == inner.predict(ASKED).tobytes()
    assert fitted_from(name, after).predict(ASKED).tobytes() == said.tobytes()


def test_a_twin_of_a_candidate_is_forecast_like_it():
    inner = learner_called("ridge").fit(table(300))
    new = table(60, seed=8)
    said = extend(inner, new.features, new.targets[:, 0], np.ones(60)).predict(ASKED)
    labels = prompts(200, seed=5)[1]
    assert said[labels == 0, 2].mean() > said[labels == 1, 2].mean() + 0.2


def test_one_label_is_enough_and_none_is_refused():
    inner = learner_called("ridge").fit(table(100))
    few = table(3, seed=8)
    targets = np.array([np.nan, 1.0, np.nan])
    assert np.isfinite(extend(inner, few.features, targets, np.ones(3)).predict(ASKED)).all()
    with pytest.raises(ValueError, match="at least one outcome"):
        extend(inner, few.features, np.full(3, np.nan), np.ones(3))


@needs_data
def test_forty_labels_forecast_a_ninth_model_better_than_their_mean():
    found = read_table(DATA / "routing" / "nine_models_dev.csv.gz", Layout())
    targets = targets_of(found, Objective("quality-at-cost"))
    data = targets.training(describer("static")(found.prompts), targets.value, 0)
    rows = np.random.default_rng(0).permutation(len(data))
    seen, labelled, out = data.take(rows[:1000]), data.take(rows[1000:1040]), data.take(rows[1040:3000])
    gains = []
    for column in range(data.targets.shape[1]):
        rest = np.delete(np.arange(data.targets.shape[1]), column)
        part = replace(seen, targets=seen.targets[:, rest], weights=seen.weights[:, rest])
        inner = learner_called("ridge").fit(part)
        own = labelled.targets[:, column]
        said = extend(inner, labelled.features, own, np.ones(40)).predict(out.features)
        truth = out.targets[:, column]
        mine, mean = ((said[:, -1] - truth) ** 2).mean(), ((own.mean() - truth) ** 2).mean()
        gains.append(1.0 - mine / mean)
    assert np.mean(gains) > 0.05
    assert min(gains) > 0
