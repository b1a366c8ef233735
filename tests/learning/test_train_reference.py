from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from tests.learning.synthetic import write_table
from tests.monitors.drift.drifting import CODE, store, story

from edgewise.app.drifting import drift_for
from edgewise.features.static.statistics import NAMES
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.monitors.drift.reference import Reference
from edgewise.outcomes import LogReader
from edgewise.policies.objectives import Objective
from edgewise.settings import Settings
from edgewise.settings.schema import PolicySettings


def test_a_bundle_says_what_its_prompts_looked_like(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "t.csv", 60))
    learn(table, TrainOptions(Objective("quality-at-cost"), learner="ridge")).save(tmp_path / "bundle")
    found = Reference.load(tmp_path / "bundle")
    assert found is not None
    assert found.count == 60
    assert found.edges.shape == (len(NAMES), 9)
    assert np.allclose(found.shares.sum(axis=1), 1.0)
    assert Reference.load(tmp_path / "none") is None

    store(tmp_path / "log", *(r for _ in range(60) for r in story(time.time() - 9.0, prompt=CODE)))
    drift = drift_for(Settings(policy=PolicySettings(kind="bundle", bundle=str(tmp_path / "bundle"))))
    drift.load(LogReader(tmp_path / "log"))
    prompts = drift.report().prompts
    assert prompts.against == "the training prompts"
    assert prompts.moved[0].index > 1.0
